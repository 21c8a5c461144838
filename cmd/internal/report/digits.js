// The page of a network that reads digits. It computes Model.Predict, and what cmd/predict does to a picture.

// ---- The data ----
const side = 28, pixels = side * side;
const data = JSON.parse($('data').textContent), trained = network(data.Layers), hidden = trained.length - 1;
const scale = floats(data.Scale), shift = floats(data.Shift), most = bytes(data.Most);
const { Labels: labels, Read: read } = data.Digits, probabilities = floats(data.Digits.P);
function digitsOf({ Pixels, Labels }) {
  const packed = bytes(Pixels), images = new Uint8Array(Labels.length * pixels);
  for (let i = 0, to = 0; i < packed.length; i++) {
    if (packed[i]) images[to++] = packed[i];
    else to += packed[++i]; // a run of zeros
  }
  return i => images.subarray(i * pixels, (i + 1) * pixels);
}
const digit = digitsOf(data.Digits), familiar = data.Familiar && digitsOf(data.Familiar);
const sample = [...Array(data.Sample).keys()], ten = [...Array(10).keys()];

// inputs standardizes grey values.
const inputs = image => vector(pixels, j => image[j] * scale[j] + shift[j]);
const inputsOf = once(i => inputs(upright(digit(i)).image)); // of a test digit
const paper = inputs(new Uint8Array(pixels));

// towards is the direction of a digit's logit, or of what it is above another's.
const towards = (digit, other) => vector(10, k => (k === digit) - (k === other));

// spread calls f(0) to f(n − 1), a few at a time so that the page stays responsive, as long as more(i) holds.
async function spread(n, f, more = () => true) {
  for (let i = 0; i < n;) {
    for (const end = performance.now() + 12; i < n && performance.now() < end; i++) f(i);
    if (!more(i)) return;
    await new Promise(done => setTimeout(done));
  }
}

// ---- A picture of a digit ----
const identity = [1, 0, 0, 1, 0, 0]; // an affine map, as canvases take it

// upright normalises an image by its moments if the model asks for it. place maps its points to the given image's.
const upright = image => data.Deskew ? normalise(image) : { image, place: identity };

// normalise does so as MNIST.Deskew does. lean is how far the image leans backwards.
function normalise(image) {
  let m = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, syy = 0;
  for (let at = 0; at < pixels; at++) {
    const p = image[at], x = columnOf(at), y = rowOf(at);
    m += p; sx += p * x; sy += p * y; sxx += p * x * x; sxy += p * x * y; syy += p * y * y;
  }
  const middle = (side - 1) / 2, central = (square, a, b) => m ? (m * square - a * b) / (m * m) : 0;
  const mx = m ? sx / m : middle, my = m ? sy / m : middle;
  const xx = central(sxx, sx, sx), xy = central(sxy, sx, sy), yy = central(syy, sy, sy);
  const s = yy > 0 ? clamp(-1, 1, xy / yy) : 0;
  const gx = Math.sqrt(clamp(0.4, 1.6, Math.sqrt(Math.max(0, xx - 2 * s * xy + s * s * yy)) / 3.6));
  const gy = Math.sqrt(clamp(0.6, 1.5, Math.sqrt(yy) / 5.4));
  const upright = imageOf((i, j) => {
    const v = gy * (i - middle);
    return bilinear(image, mx + s * v + gx * (j - middle), my + v);
  });
  const c = side / 2, place = [gx, 0, s * gy, gy, mx + 0.5 - c * gx - c * s * gy, my + 0.5 - c * gy];
  return { image: upright, lean: yy > 0 ? xy / yy : 0, place };
}
const pixelOf = image => (i, j) => i < 0 || i >= side || j < 0 || j >= side ? 0 : image[i * side + j];
const rowOf = at => Math.floor(at / side), columnOf = at => at % side;

// imageOf returns the image with f(i, j), rounded, in row i and column j.
const imageOf = f => Uint8Array.from({ length: pixels }, (_, at) => Math.floor(f(rowOf(at), columnOf(at)) + 0.5));
function bilinear(image, x, y) {
  const j = Math.floor(x), i = Math.floor(y), fx = x - j, fy = y - i, at = pixelOf(image);
  const above = at(i, j) * (1 - fx) + at(i, j + 1) * fx, below = at(i + 1, j) * (1 - fx) + at(i + 1, j + 1) * fx;
  return above * (1 - fy) + below * fy;
}

// center cuts out the ink of size×size grey values, if there is any, and sets it into 28×28 as picture.Center does.
function center(ink, size) {
  let x0 = size, y0 = size, x1 = 0, y1 = 0, sum = 0, sumX = 0, sumY = 0;
  ink.forEach((p, at) => {
    if (!p) return;
    const x = at % size, y = Math.floor(at / size);
    x0 = Math.min(x0, x); y0 = Math.min(y0, y); x1 = Math.max(x1, x + 1); y1 = y + 1;
    sum += p; sumX += p * (2 * x + 1); sumY += p * (2 * y + 1);
  });
  if (!sum) return null;
  const k = Math.max(x1 - x0, y1 - y0) / 20;
  const left = 14 - Math.floor((sumX / (2 * sum) - x0) / k), top = 14 - Math.floor((sumY / (2 * sum) - y0) / k);
  const image = imageOf((i, j) => mean(ink, size, x0 + (j - left) * k, y0 + (i - top) * k, k));
  return { image, place: [k, 0, 0, k, x0 - left * k, y0 - top * k], extent: 20 * k };
}
// mean is the mean of a picture over the square of side k from (x, y) on.
function mean(ink, size, x, y, k) {
  const overlap = (u, x) => Math.min(u + 1, x + k) - Math.max(u, x);
  let sum = 0;
  for (let v = Math.max(0, Math.floor(y)); v < Math.min(size, Math.ceil(y + k)); v++) {
    let row = 0;
    for (let u = Math.max(0, Math.floor(x)); u < Math.min(size, Math.ceil(x + k)); u++) row += overlap(u, x) * ink[v * size + u];
    sum += overlap(v, y) * row;
  }
  return sum / (k * k);
}

// ---- What looks like a digit, as Familiarity in Go measures it ----
const familiarOutlines = once(i => outlines(normalise(familiar(i)).image));
function outlines(upright) {
  const row = new Float64Array(8 * 49), at = pixelOf(upright);
  const [c22, c45, c67] = [0.9238795325112867, 0.7071067811865476, 0.3826834323650898]; // cos 22.5°, 45°, 67.5°
  for (let p = 0; p < pixels; p++) {
    const i = rowOf(p), j = columnOf(p), x = at(i, j + 1) - at(i, j - 1), y = at(i + 1, j) - at(i - 1, j);
    const g = c22 * Math.sqrt(x * x + y * y), cell = 7 * (i >> 2) + (j >> 2);
    [x, c22 * x + c67 * y, c45 * (x + y), c67 * x + c22 * y, y, c22 * y - c67 * x, c45 * (y - x), c67 * y - c22 * x]
      .forEach((along, k) => { row[49 * k + cell] += Math.max(0, Math.abs(along) - g); });
  }
  const length = Math.max(1, Math.sqrt(dot(row, row)));
  return row.map(v => v / length);
}

// pieces counts the pieces of ink and the holes in it.
function pieces(image) {
  const wide = side + 2, left = new Map(), around = [1, -1, wide, -wide, wide + 1, wide - 1, 1 - wide, -1 - wide];
  const at = pixelOf(image), count = [0, -1]; // of ink, and of paper without that around the ink
  for (let p = 0; p < wide * wide; p++) left.set(p, at(Math.floor(p / wide) - 1, p % wide - 1) < 64 ? 1 : 0);
  for (const [start, kind] of left) {
    count[kind]++;
    const reached = [start], steps = around.slice(0, kind ? 4 : 8);
    for (const from of reached) if (left.delete(from)) {
      for (const step of steps) if (left.get(from + step) === kind) reached.push(from + step);
    }
  }
  return count;
}

// compare returns the three nearest digits of training, and whether an image looks like none.
function compare(image) {
  const { image: whole, lean } = normalise(image), row = outlines(whole), { Labels: labels, Limits: limits } = data.Familiar;
  const similar = vector(labels.length, i => dot(familiarOutlines(i), row));
  const nearest = [...similar.keys()].sort((a, b) => similar[b] - similar[a]).slice(0, 3);
  const measured = [1 - similar[nearest[0]], ...pieces(image), lean];
  return { nearest, unlike: measured.some((v, k) => v > limits[labels[nearest[0]]][k]) };
}

// ---- Small pictures ----
const inkPixel = (p, at, v) => mix(p, at, colour.ink, v / 255);
const pictureOf = (values, put, className = '') => paint(make('canvas', { width: side, height: side, className }), values, put);

// digitButton is a test digit that a click loads into the drawing.
function digitButton(i, caption) {
  const about = { className: 'digit', title: 'Load into the drawing', ariaLabel: `Load a ${labels[i]} ${caption}` };
  return button({ ...about, onclick: () => load(i) }, pictureOf(digit(i), inkPixel), caption);
}

// ---- Draw a digit ----
const sheet = $('draw'), width = sheet.width, pen = 22;
const ink = sheet.getContext('2d', { willReadFrequently: true }), heat = $('heat').getContext('2d');
// An action is a test digit {digit}, a stroke {path} or {}, which clears; the newest is last.
let actions = [{ digit: Math.max(0, labels.indexOf(3)), example: true }];
let now;          // what became of the drawing, and what the network makes of it
let rival = null; // the digit that the one that is read is compared with
const cursor = { x: width / 2, y: width / 2, down: null, shown: false }; // the pen of the keyboard

function drawAction({ path, digit: i }) {
  Object.assign(ink, { lineWidth: pen, lineCap: 'round', lineJoin: 'round', strokeStyle: `rgb(${colour.ink})` });
  if (path) ink.stroke(path);
  if (i >= 0) ink.drawImage(pictureOf(digit(i), (p, at, v) => p.set([...colour.ink, v], at)), 0, 0, width, width);
}

// settle shows and says what became of the drawing, when something has been done.
function settle() {
  update();
  say(['verdict', 'remark', 'unlike'].map(id => $(id).textContent).join(' '));
}

// become draws the actions and returns what the network sees: a test digit as it is, strokes as cmd/predict does.
function become() {
  ink.clearRect(0, 0, width, width);
  actions.slice(Math.max(0, actions.findLastIndex(a => !a.path))).forEach(drawAction);
  const { digit: i } = actions.at(-1) ?? {};
  if (i >= 0) return { image: digit(i), place: [width / side, 0, 0, width / side, 0, 0], label: labels[i] };
  const rgba = ink.getImageData(0, 0, width, width).data, grey = new Uint8Array(width * width);
  for (let i = 0; i < grey.length; i++) grey[i] = rgba[4 * i + 3];
  return { drawn: true, ...center(grey, width) ?? { image: new Uint8Array(pixels), place: identity, blank: true } };
}

const bars = barButtons(10, k => {
  rival = k === now.first || k === rival ? null : k;
  explain();
});
const strips = trained.map((l, n) => {
  const columns = l.out <= 32 ? l.out : Math.ceil(Math.sqrt(6 * l.out)), title = make('p');
  const canvas = make('canvas', { width: columns, height: Math.ceil(l.out / columns), role: 'img' });
  canvas.style.width = Math.min(100, columns * 3) + '%';
  $('layers').append(make('div', { className: 'layer' }, title, canvas));
  return a => {
    const top = size(a), active = `${a.filter(v => Math.abs(v) > 0.05 * top).length} of ${l.out} units answer, ${l.name}`;
    title.textContent = canvas.ariaLabel = `Layer ${n + 1}: ${n < hidden ? active : 'for and against each digit, 0 to 9'}`;
    paint(canvas, a, signed(top));
  };
});

// update shows what the network makes of the drawing.
function update() {
  performance.mark('drawn');
  now = become();
  const { image: whole, place } = upright(now.image), seen = now.drawn ? whole.map((p, j) => Math.min(p, most[j])) : whole;
  if (!data.Deskew) now.image = seen;
  const x = inputs(seen), { z, a } = forward(net, x), p = softmax(a.at(-1));
  const [first, second] = ten.toSorted((j, k) => p[k] - p[j]);
  Object.assign(now, { seen, x, z, a, first, upright: place });
  bars.forEach((bar, k) => {
    const probability = now.blank ? 0 : p[k];
    Object.assign(bar.parentNode.dataset, { digit: k, probability });
    fill(bar, k, probability, now.blank ? '' : percent(probability), !now.blank && k === first);
  });
  const told = [make('b', {}, first), ` ${percent(p[first])}, then ${second} with ${percent(p[second])}`];
  $('verdict').replaceChildren(...now.blank ? ['Nothing yet.'] : told);
  const small = now.extent < 3 * pen ? 'Draw larger: scaled up to 20 pixels, this is little but a blot.' : '';
  $('remark').textContent = 'label' in now ? `A test digit, labelled ${now.label}, read ${first}.` : small;
  showNearest();
  $('hint').hidden = !now.blank;
  paint($('seen'), seen, inkPixel);
  strips.forEach((show, n) => show(a[n]));
  showSum();
  tellBroken();
  clearTimeout(later);
  paintHeat();
  flow.ariaBusy = true;
  if (cost < 30) explain();
  else later = setTimeout(explain, 150); // when the pen rests
  performance.measure('draw', 'drawn');
}

// showNearest shows the nearest digits of training, and says if the drawing looks like none.
function showNearest() {
  const { nearest, unlike } = familiar && !now.blank ? compare(now.image) : { nearest: [] };
  $('unlike').textContent = unlike ? 'Does not look like a digit.' : '';
  const shown = i => make('span', { className: 'digit' }, pictureOf(familiar(i), inkPixel), data.Familiar.Labels[i]);
  $('nearest').replaceChildren(...nearest.map(shown));
}

// explain shows what contributed to the answer: the pixels, over the drawing, and units.
let cost = 0, later; // the milliseconds that it took, and the next one
function explain() {
  const begin = performance.now(), other = now.blank || rival === now.first ? null : rival;
  now.parts = attribute(net, paper, now.x, towards(now.first, other));
  const { hatched, changes } = other === null ? { hatched: [] } : missing(other);
  $('why').dataset.hatched = now.hatched = hatched;
  choose(bars, bars[other ?? now.first]);
  $('for').textContent = `speaks for ${now.first}`;
  $('against').textContent = other === null ? 'speaks against it' : `speaks for ${other}`;
  $('why').textContent = other === null ? 'Choose a bar: why this digit and not that?'
    : `Why ${now.first} and not ${other}? Ink in the hatched places ${changes ? `would make it read ${other}` : `speaks most for ${other}, but is not enough`}.`;
  paintHeat();
  showFlow();
  flow.ariaBusy = false;
  cost = performance.now() - begin;
}

const inside = [...Array(pixels).keys()].filter(at => [rowOf(at), columnOf(at)].every(i => i > 0 && i < side - 1));
const blots = inside.map(at => [-side, 0, side].flatMap(by => [at + by - 1, at + by, at + by + 1])); // of 3×3 pixels

// missing returns where more ink helps another digit, at most twelve blots, each the best by the derivative, and
// whether with them the network reads that digit.
function missing(other) {
  const image = now.seen.slice(), hatched = [];
  for (let n = 0; n <= 12; n++) {
    const { a } = forward(net, inputs(image)), first = largest(a.at(-1));
    if (first === other || n === 12) return { hatched, changes: first === other };
    const slope = through(net[0], backward(net, towards(other, first), net.map((l, n) => a[n].map(l.slope)))[0]);
    const gain = slope.map((v, j) => v * scale[j] * Math.max(0, most[j] - image[j]));
    const best = blots[largest(blots.map(blot => sum(blot.map(j => gain[j]))))].filter(j => image[j] < most[j]);
    hatched.push(...best);
    best.forEach(j => { image[j] = most[j]; });
  }
}

// paintHeat lays the pixels' contributions and the missing ink over the drawing, and the keyboard's pen.
function paintHeat() {
  heat.resetTransform();
  heat.clearRect(0, 0, width, width);
  Object.assign(heat, { strokeStyle: `rgb(${colour.positive})`, lineWidth: 1 });
  heat.beginPath();
  if (cursor.shown) heat.arc(cursor.x, cursor.y, pen / 2, 0, 7);
  heat.stroke();
  if (now.blank || !now.parts || !$('show-heat').checked) return;
  const put = signed(size(now.parts[0]), 0.5);
  heat.transform(...now.place);
  heat.transform(...now.upright);
  heat.drawImage(pictureOf(now.parts[0], (p, at, v) => { put(p, at, v); p[at + 3] = 0.9 * now.seen[at / 4]; }), 0, 0);
  Object.assign(heat, { strokeStyle: `rgb(${colour.negative})`, lineWidth: 0.25 });
  heat.stroke(new Path2D(now.hatched.map(j => `M${columnOf(j)},${rowOf(j) + 1}l1,-1`).join('')));
}

function load(i) {
  actions.push({ digit: i });
  settle();
  if (sheet.getBoundingClientRect().top < 0) $('drawing').scrollIntoView();
}

let frame = 0; // the next one, in which update will be called
const soon = () => { frame ||= requestAnimationFrame(() => { frame = 0; update(); }); };

// stroke begins a stroke at a point, or goes on with it to the point.
function stroke([x, y], begins) {
  if (actions.at(-1)?.example) actions.push({}); // the first stroke replaces the digit of the beginning
  if (begins) actions.push({ path: new Path2D(`M${x},${y}h.01`) }); // a tap is a dot
  actions.at(-1).path.lineTo(x, y);
  soon();
}
const pointer = (e, begins) => stroke(within(sheet, e).map(v => v * width), begins);
function lift() {
  if (cursor.down === null) return;
  cursor.down = null;
  settle();
}
sheet.onpointerdown = e => {
  if (e.button || !e.isPrimary) return;
  sheet.setPointerCapture(e.pointerId);
  cursor.down = e.pointerId;
  pointer(e, true);
};
sheet.onpointermove = e => {
  if (cursor.down !== e.pointerId) return;
  for (const one of [...e.getCoalescedEvents?.() ?? [], e]) pointer(one, false);
};
sheet.onpointerup = sheet.onpointercancel = lift;

sheet.onkeydown = e => {
  if (!arrows[e.key] && e.key !== ' ') return;
  const wasDown = cursor.down === 'key', [x, y] = arrows[e.key] ?? [0, 0];
  e.preventDefault();
  moveCursor(cursor, [7 * x, 7 * y], pen / 2, width - pen / 2);
  if (e.key === ' ' && wasDown) lift();
  else if (e.key === ' ') cursor.down = 'key';
  if (cursor.down === 'key') stroke([cursor.x, cursor.y], !wasDown);
  cursor.shown = true;
  soon();
};
sheet.onblur = () => { lift(); cursor.shown = false; soon(); };
document.onkeydown = e => {
  if (e.key !== 'z' || !(e.ctrlKey || e.metaKey) || e.shiftKey) return;
  e.preventDefault();
  $('undo').click();
};

$('undo').onclick = () => { actions.pop(); settle(); };
$('clear').onclick = () => { actions.push({}); settle(); };
$('show-heat').onchange = paintHeat;
let round = 0; // how many times ten others were asked for
function showStarts() {
  const all = ten.map(d => sample.filter(i => labels[i] === d)).filter(of => of.length);
  $('starts').replaceChildren(...all.map(of => digitButton(of[round % of.length], '')));
}
$('more').onclick = () => { round++; showStarts(); };

// ---- Follow one decision ----
const single = hidden === 0, column = (l, k) => vector(l.in, i => l.w[i * l.out + k]);
const unitName = (n, k) => n === hidden ? `Digit ${k}` : `Unit ${k + 1}` + (n ? ` of layer ${n + 1}` : '');
let net, onPaper, answersOf, excites, known; // the network that is shown, what follows from it, and whether all is known
function adopt(shown) {
  net = shown;
  onPaper = forward(net, paper);
  answersOf = once(i => forward(net, inputsOf(i)).a);
  known = false;
  // excites returns what a unit answers to the sample: each answer, each digit's mean, the digits whose mean is high,
  // and the pixels whose ink goes with high answers.
  excites = net.map((_, n) => once(k => {
    const answers = sample.map(i => answersOf(i)[n][k]), mean = average(answers), picture = new Float64Array(pixels);
    const means = ten.map(d => ({ name: 'digit ' + d, d, value: average(answers.filter((_, i) => labels[i] === d)) }));
    sample.forEach(i => digit(i).forEach((p, j) => { picture[j] += p * (answers[i] - mean); }));
    const best = means.toSorted((a, b) => b.value - a.value), limit = (best[0].value + mean) / 2;
    return { answers, means, picture, digits: best.filter(m => m.value >= limit).slice(0, 3).map(m => m.d).join(' ') };
  }));
}
adopt(trained);

const flow = $('flow'), wires = [], drawing = pictureOf([]);
const wireBox = svg('svg', { viewBox: `0 0 ${net.length + 1} 1`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
let followed = null; // the node {n, k} whose sum is shown: unit k of layer n, from 0
const isFollowed = b => followed !== null && followed.n === b.n && followed.k === b.k;
const slots = net.map((l, n) => Array.from({ length: n < hidden ? Math.min(8, l.out) : 10 }, () =>
  button({ className: 'node', onclick: e => follow(e.currentTarget) },
    n < hidden ? pictureOf([]) : make('b'), make('span', { className: 'unseen' }), make('small'), make('span'))));
function follow(b) {
  followed = isFollowed(b) ? null : { n: b.n, k: b.k };
  explain();
  if (followed?.n === 0) showUnit(b.k);
  if (followed) say($('sum').textContent);
}
const nodes = slots.flat();
flow.style.setProperty('--columns', net.length + 1);
const stages = [[drawing], ...slots], captions = ['drawing', ...net.map((_, n) => n < hidden ? `layer ${n + 1}` : 'digits')];
flow.append(wireBox, ...stages.map(of => make('div', {}, ...of)), ...captions.map(text => make('p', {}, text)));
slots.forEach((of, n) => of.forEach((to, r) => stages[n].forEach((from, s, all) => {
  const line = svg('line', { x1: n + 0.5, y1: (s + 0.5) / all.length, x2: n + 1.5, y2: (r + 0.5) / of.length });
  wires.push({ n, from, to, line: wireBox.appendChild(line) });
})));
walk(nodes);

// showFlow follows the answer through the units that contributed most to it.
function showFlow() {
  const best = (n, count) => strongest(Array.from(now.parts[n + 1], (value, k) => ({ k, value })), count).map(u => u.k);
  const units = slots.map((of, n) => n === hidden ? ten : best(n, of.length));
  const pictureOfUnit = (n, k) => n ? known ? excites[n](k).picture : [] : column(net[0], k).map((w, i) => w * (now.x[i] - paper[i]));
  if (followed && !units[followed.n].includes(followed.k)) followed = null;
  const near = n => !followed || Math.abs(n - followed.n) === 1;
  paint(drawing, now.seen, inkPixel);
  drawing.classList.toggle('faded', !near(-1));
  slots.forEach((of, n) => of.forEach((b, r) => {
    const k = units[n][r], value = now.a[n][k], digits = n && n < hidden && known ? excites[n](k).digits : '';
    Object.assign(b, { n, k, title: unitName(n, k) });
    Object.assign(b.dataset, { layer: n + 1, node: k, value });
    b.classList.toggle('first', n === hidden && k === now.first);
    b.classList.toggle('faded', !near(n) && !isFollowed(b));
    [b.title, digits, short(value)].forEach((text, i) => { b.children[1 + i].textContent = text; });
    if (n === hidden) b.firstChild.textContent = k;
    else paint(b.firstChild, pictureOfUnit(n, k));
  }));
  choose(nodes, nodes.find(isFollowed));
  const flow = ({ n, from: { k: i }, to: { k: j } }) =>
    n ? now.a[n - 1][i] * net[n].w[i * net[n].out + j] : now.z[0][j] - onPaper.z[0][j];
  const tops = net.map((_, n) => size(wires.filter(w => w.n === n).map(flow)));
  for (const w of wires) {
    const faded = followed && !isFollowed(w.from) && !isFollowed(w.to) ? ' faded' : '';
    w.line.setAttribute('class', (flow(w) < 0 ? 'against' : 'for') + faded);
    w.line.setAttribute('stroke-width', 7 * Math.abs(flow(w)) / tops[w.n] || 0);
  }
  if (!followed) return $('sum').replaceChildren('Choose a unit or a digit, and see what it adds up.');
  const { n, k } = followed, { parts, total } = adds(n, k), does = n === hidden ? 'logit' : net[n].name.replace('relu', 'ReLU');
  const told = [...parts.map((p, i) => [`${i ? ' +' : ':'} ${p.name} `, p.value]), [' = ', total], [` → ${does} `, now.a[n][k]]];
  const spans = told.map(([text, value]) => make('span', { dataset: { value } }, text + short(value)));
  $('sum').replaceChildren(make('b', {}, unitName(n, k)), ...spans);
}

// adds returns what unit k of layer n adds up, and its strongest inputs. Pixels count by what they differ from paper.
function adds(n, k) {
  const l = net[n], bias = l.b[k], x = n ? now.a[n - 1] : now.x.map((v, i) => v - paper[i]);
  const nameOf = i => n ? `unit ${i + 1}` : `${rowOf(i) + 1}, ${columnOf(i) + 1}`;
  const terms = Array.from(column(l, k), (w, i) => ({ name: nameOf(i), value: x[i] * w }));
  const all = sum(terms.map(t => t.value)), best = strongest(terms, 12), most = sum(best.map(t => t.value));
  const parts = [[`${best.length} strongest ${n ? 'inputs' : 'pixels'}`, most], [`${l.in - best.length} others`, all - most],
    ...n ? [] : [['blank paper', onPaper.z[0][k] - bias]], ['bias', bias]].map(([name, value]) => ({ name, value }));
  return { best, parts, total: now.z[n][k] };
}

// study has the network that is shown answer the sample, and then shows what excites its units.
async function study() {
  const mine = answersOf;
  await spread(data.Sample, mine, () => mine === answersOf);
  if (mine !== answersOf) return;
  known = true;
  explain();
  showUnit(chosenUnit);
}

// ---- What each unit looks for ----
const deviation = v => Math.sqrt(Math.max(0, average(v.map(x => x * x)) - average(v) ** 2));
const varies = vector(pixels, j => Math.min(1, deviation(sample.map(i => inputsOf(i)[j]))));
const weightsOf = k => column(net[0], k).map((v, j) => v * varies[j]); // where no digit has ink they say nothing
const shownUnits = data.Order.slice(0, 1024);
let chosenUnit = null, sumBox = null;
$('tiles').classList.toggle('few', single);
const tiles = shownUnits.map(k => button(
  { title: unitName(0, k), ariaLabel: unitName(0, k), onclick: () => showUnit(k), dataset: { unit: k } }, pictureOf([])));
$('tiles').append(...tiles);
walk(tiles);
let peak; // the scale of all tiles. A fifth of them has weights that are beyond it.
function paintTiles() {
  peak = shownUnits.map(k => size(weightsOf(k))).sort((a, b) => a - b)[Math.floor(0.8 * (shownUnits.length - 1))];
  tiles.forEach((b, i) => paint(b.firstChild, weightsOf(shownUnits[i]), signed(peak)));
}

// showUnit shows what unit k adds up, which digits excite it and where it goes.
function showUnit(k) {
  chosenUnit = k;
  const tile = tiles[shownUnits.indexOf(k)], box = $('tiles');
  choose(tiles, tile);
  const below = tile && tile.offsetTop - box.scrollTop;
  if (below < 0 || below + tile.offsetHeight > box.clientHeight) box.scrollTop = tile.offsetTop - 60;
  const { answers, means } = known ? excites[0](k) : { answers: [], means: [] };
  const excited = [...answers.keys()].sort((a, b) => answers[b] - answers[a]).slice(0, 6).map(i => digitButton(i, short(answers[i])));
  const columns = [pictureOf(weightsOf(k), signed(peak), 'large'), sumBox = make('div'), titled('Mean answer to each digit', balances(means))];
  const goes = single ? [] : Array.from(net[1].w.subarray(k * net[1].out, (k + 1) * net[1].out),
    (value, j) => ({ name: hidden === 1 ? 'digit ' + j : 'unit ' + (j + 1), value }));
  if (!single) columns.push(titled('Where it goes', balances(strongest(goes, 10))));
  $('unit').replaceChildren(make('h3', {}, unitName(0, k)), make('div', { className: 'columns' }, ...columns),
    titled('What excites it most', make('div', { className: 'strip' }, ...excited)));
  showSum();
}

// showSum shows what the chosen unit adds up for the drawing.
function showSum() {
  if (!sumBox) return;
  const { best, parts, total } = adds(0, chosenUnit);
  sumBox.replaceChildren(titled('Its strongest pixels, by row and column', balances(best.slice(0, 5))),
    balances([...parts, { name: 'sum', value: total }, { name: 'answer', value: now.a[0][chosenUnit] }]));
}

// ---- Its mistakes ----
const cells = [...document.querySelectorAll('[data-true]')];
const wrong = cells.filter(c => c.dataset.true !== c.dataset.read);
let chosenCell = wrong.reduce((a, b) => b.dataset.count - a.dataset.count > 0 ? b : a);

// showCell shows the digits of a cell.
function showCell(cell) {
  choose(cells, chosenCell = cell);
  const { true: want, read: as, count } = cell.dataset, shown = data.Cells[want][as], right = want === as;
  const few = shown.length < count ? `, ${shown.length} of them here` : '', order = right ? 'the least certain' : 'the worst';
  const about = shown.length ? `${count} of the test digits${few}, ${order} first, with the probability of ${want}.` : 'There is none.';
  const digits = shown.map(i => digitButton(i, percent(probabilities[10 * i + Number(want)])));
  const title = want + (right ? ', read right' : ', read as ' + as);
  $('cell').replaceChildren(titled(title, make('p', { className: 'quiet' }, about)), make('div', { className: 'strip' }, ...digits));
}
for (const b of cells) b.onclick = () => { showCell(b); say([...$('cell').firstChild.children].map(e => e.textContent).join('. ')); };
walk(cells);

// ---- How sure it is ----
function showReliability() {
  const share = r => r.Bins.map((b, i) => [10 * i + 5, b.N ? 100 * b.Right : null]), [as, before] = data.Reliability;
  const lines = [line('ideal', 'muted', ten.map(i => [10 * i + 5, 10 * i + 5])), line('it', 'positive', share(as))];
  if (before) lines.push(line('uncalibrated', 'negative', share(before)));
  chart($('reliability-chart'), { x: 'probability that it gives, %', y: 'read right, %', at: 95, zero: true, lines });
}

// ---- How it learnt ----
const history = data.History ?? [];
const four = v => v === null ? '–' : v < 1e5 ? decimals(v, 4) : short(v); // null was not measured
const layerColour = (n, of) => `color-mix(in oklch, rgb(var(--positive)), rgb(var(--negative)) ${of < 2 ? 0 : 100 * n / (of - 1)}%)`;
function showHistory() {
  if (!history.length) return;
  const epoch = Number($('epoch').value), stat = Number($('stat').value), { Label: label, Share: share } = data.Stats[stat];
  const e = history[epoch - 1], show = (id, y, ...of) => trends($(id), y, epoch, history, ...of);
  show('loss-chart', 'loss', ['training', 'Loss'], ['test', 'TestLoss'], ['held out', 'ValidationLoss']);
  show('accuracy-chart', 'share read right', ['training', 'Metric'], ['test', 'TestMetric']);
  $('moment').textContent = `Epoch ${epoch} of ${history.length}: loss ${four(e.Loss)} in training, ${four(e.TestLoss)} in the test; `
    + `accuracy ${four(e.Metric)} and ${four(e.TestMetric)}`;
  const layers = e.Layers ?? [], begin = data.First ? [{ Layers: data.First }] : [{}];
  $('layer-figure').hidden = !layers.length;
  const points = n => [...begin, ...history].map((h, i) => [i, h.Layers?.[n]?.[stat] ?? null]);
  const lines = layers.map((_, n) => ({ name: 'layer ' + (n + 1), colour: layerColour(n, layers.length), points: points(n) }));
  chart($('layer-chart'), { x: 'epoch, 0 being the first step', y: label, at: epoch, log: !share, zero: share, lines });
  const row = (name, head, cells) => make('tr', {}, make('th', { scope: head === 'th' ? 'col' : 'row' }, name),
    ...cells.map((c, k) => make(head, { className: k === stat ? 'chosen' : '' }, c)));
  const rows = layers.map((l, n) => row('layer ' + (n + 1), 'td', l.map(short)));
  $('stats').replaceChildren(row('epoch ' + epoch, 'th', data.Stats.map(s => s.Label)), ...rows);
}

// ---- Break it ----
let broken = trained, attempt = 0;
for (const [n, l] of trained.entries()) $('break-layer').append(make('option', { value: n }, `layer ${n + 1}, ${l.in} × ${l.out}`));
const sizes = once(n => trained[n].w.map(Math.abs).sort());
const rms = once(n => Math.sqrt(average(trained[n].w.map(v => v * v))));
const gauss = once(n => Float32Array.from(trained[n].w, gaussian(1 + n))); // for each weight, the same each time

function breakIt() {
  const [bias, drop, noise] = ['bias', 'drop', 'noise'].map(name => $('break-' + name).value / 100), layer = Number($('break-layer').value);
  broken = trained.map((l, n) => {
    if (layer >= 0 && layer !== n) return l;
    const least = drop ? sizes(n)[Math.floor(drop * l.w.length)] ?? Infinity : 0, g = noise ? gauss(n) : l.w;
    const w = l.w.map((v, i) => (Math.abs(v) < least ? 0 : v) + (noise && noise * rms(n) * g[i]));
    return { ...l, b: l.b.map(v => v * bias), w };
  });
  for (const name of ['bias', 'drop', 'noise']) $(name + '-text').textContent = $('break-' + name).value + ' %';
  tellBroken();
  return measure(++attempt);
}

// measure reads the sample with the broken network, until another attempt begins.
async function measure(mine) {
  const right = [], whole = sample.map(i => read[i] === labels[i]);
  await spread(data.Sample, i => right.push(largest(forward(broken, inputsOf(i)).a.at(-1)) === labels[i]), i => {
    if (mine !== attempt) return false;
    const [now, before] = [right, whole.slice(0, i)].map(all => 100 * average(all)), change = decimals(now - before, 1);
    $('broken-accuracy').textContent = now.toFixed(1) + ' %';
    $('broken-change').textContent = now === before ? 'as the whole network' : `${now > before ? '+' : ''}${change} points`;
    $('broken-bar').style.width = now + '%';
    $('whole-bar').style.left = `calc(${before}% - 1px)`;
    $('broken-progress').textContent = `of the first ${i} test digits; the line is the whole network with ${before.toFixed(1)}\u00a0% of them`;
    return true;
  });
}

function tellBroken() {
  const p = softmax(forward(broken, now.x).a.at(-1)), k = largest(p);
  $('broken-drawing').textContent = now.blank ? '' : `It reads the drawing as ${k} with ${percent(p[k])}.`;
}
$('controls').oninput = breakIt;
$('controls').onchange = () => say(`${$('broken-accuracy').textContent}, ${$('broken-change').textContent}`);
$('controls').onreset = () => setTimeout(breakIt); // after the sliders are back

// ---- Watch it learn ----
const slider = $('snapshot'), still = matchMedia('(prefers-reduced-motion: reduce)');
let timer; // of the next epoch, while the slider moves by itself

// unpack makes ready the slider, whose places are the earlier epochs and the trained network.
async function unpack() {
  const packed = new Blob([bytes(data.Packed)]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const all = new Int8Array(await new Response(packed).arrayBuffer()), length = all.length / data.Earlier.length;
  for (let i = length; i < all.length; i++) all[i] += all[i - length]; // modulo 256
  data.Earlier.forEach((e, n) => { e.weights = all.subarray(n * length); });
  slider.oninput = () => { play(false); showEpoch(); };
  slider.onchange = () => say(`${$('epoch-text').textContent}. ${$('verdict').textContent}`);
  still.onchange = () => play(false);
  $('play').onclick = () => { play(!timer); timer || still.matches ? nextEpoch() : slider.onchange(); };
  $('epochs').hidden = false;
  play(false);
  showEpoch();
}

// earlier returns an earlier epoch's network. Its weights are whole numbers of a unit's steps.
function earlier({ Layers: units, weights }) {
  let at = 0;
  const scaled = (l, step) => l.w.map((_, i) => weights[at++] * step[i % l.out]);
  return trained.map((l, n) => ({ ...l, b: floats(units[n].B), w: scaled(l, floats(units[n].Step)) }));
}
function showEpoch() {
  const e = data.Earlier[slider.value], n = (e ?? data).Epoch, told = n ? percent(history[n - 1].TestMetric) + ' read right' : 'the beginning';
  $('epoch-text').textContent = slider.ariaValueText = `Epoch ${n} of ${history.length}: ${told}`;
  if (!e && net === trained) return;
  adopt(e ? earlier(e) : trained);
  paintTiles();
  update();
  study();
}

// play has the slider move by itself, or ends that. It does not move for who prefers no motion.
function play(on) {
  clearInterval(timer);
  timer = on && !still.matches && setInterval(nextEpoch, 1000);
  $('play').textContent = timer ? 'Pause' : still.matches ? 'Next' : 'Play';
}
function nextEpoch() {
  slider.value = slider.value === slider.max ? 0 : Number(slider.value) + 1;
  showEpoch();
  if (slider.value === slider.max) play(false);
  if (!timer) slider.onchange();
}

// ---- The beginning ----
onColours(() => {
  showStarts();
  cost = 0; // nothing may come later, on paper
  paintTiles();
  update();
  showUnit(chosenUnit ?? slots[0][0].k); // at first the unit that contributes most
  showCell(chosenCell);
  showReliability();
  showHistory();
});
for (const id of ['stat', 'epoch']) $(id)?.addEventListener('input', showHistory);
study().then(breakIt);
if (slider) unpack();
new ResizeObserver(() => { showHistory(); showReliability(); }).observe($('history'));

const inputsOfBytes = image => inputs(upright(Uint8Array.from(image)).image);
const logits = image => Array.from(forward(net, inputsOfBytes(image)).a.at(-1));
window.mlp = Object.freeze({
  logits, predict: image => softmax(logits(image)), image: () => Array.from(now.image),
  unlike: image => familiar ? compare(Uint8Array.from(image)).unlike : null,
  attribution: (image, digit) => Array.from(attribute(net, paper, inputsOfBytes(image), towards(digit))[0]),
});
