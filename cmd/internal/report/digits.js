// The page of a network that reads digits. It computes what the Go package does:
// Model.Predict, the normalisation by moments, and what cmd/predict does to a picture.

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

// spread calls f(0) to f(n − 1), a few at a time so that the page stays responsive, and
// goes on as long as more(i) holds after each few.
async function spread(n, f, more = () => true) {
  for (let i = 0; i < n;) {
    for (const end = performance.now() + 12; i < n && performance.now() < end; i++) f(i);
    if (!more(i)) return;
    await new Promise(done => setTimeout(done));
  }
}

// ---- A picture of a digit ----
const identity = [1, 0, 0, 1, 0, 0]; // an affine map, as canvases take it

// upright normalises an image by its moments if the model asks for it. place is the affine
// map from its points to the given image's.
const upright = image => data.Deskew ? normalise(image) : { image, place: identity };

// normalise does so as MNIST.Deskew does. lean is how far the image leans backwards.
function normalise(image) {
  let m = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, syy = 0;
  for (let at = 0; at < pixels; at++) {
    const p = image[at], x = at % side, y = Math.floor(at / side);
    m += p; sx += p * x; sy += p * y; sxx += p * x * x; sxy += p * x * y; syy += p * y * y;
  }
  const middle = (side - 1) / 2, central = (square, a, b) => m ? (m * square - a * b) / (m * m) : 0;
  const mx = m ? sx / m : middle, my = m ? sy / m : middle;
  const xx = central(sxx, sx, sx), xy = central(sxy, sx, sy), yy = central(syy, sy, sy);
  const s = yy > 0 ? clamp(-1, 1, xy / yy) : 0;
  const gx = Math.sqrt(clamp(0.4, 1.6, Math.sqrt(Math.max(0, xx - 2 * s * xy + s * s * yy)) / 3.6));
  const gy = Math.sqrt(clamp(0.6, 1.5, Math.sqrt(yy) / 5.4));
  const to = new Uint8Array(pixels);
  for (let i = 0; i < side; i++) {
    const v = gy * (i - middle), x = mx + s * v, y = my + v;
    for (let j = 0; j < side; j++) to[i * side + j] = Math.floor(bilinear(image, x + gx * (j - middle), y) + 0.5);
  }
  const c = side / 2;
  return { image: to, lean: yy > 0 ? xy / yy : 0, place: [gx, 0, s * gy, gy, mx + 0.5 - c * gx - c * s * gy, my + 0.5 - c * gy] };
}
const pixelOf = image => (i, j) => i < 0 || i >= side || j < 0 || j >= side ? 0 : image[i * side + j];
function bilinear(image, x, y) {
  const j = Math.floor(x), i = Math.floor(y), fx = x - j, fy = y - i, at = pixelOf(image);
  const above = at(i, j) * (1 - fx) + at(i, j + 1) * fx, below = at(i + 1, j) * (1 - fx) + at(i + 1, j + 1) * fx;
  return above * (1 - fy) + below * fy;
}

// center cuts out the ink of a picture of size×size grey values and sets it into 28×28
// as picture.Center does. It returns nothing if there is no ink.
function center(ink, size) {
  let x0 = size, y0 = size, x1 = 0, y1 = 0, sum = 0, sumX = 0, sumY = 0;
  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++, at++) {
      const p = ink[at];
      if (!p) continue;
      x0 = Math.min(x0, x); y0 = Math.min(y0, y); x1 = Math.max(x1, x + 1); y1 = y + 1;
      sum += p; sumX += p * (2 * x + 1); sumY += p * (2 * y + 1);
    }
  }
  if (!sum) return null;
  const k = Math.max(x1 - x0, y1 - y0) / 20, image = new Uint8Array(pixels);
  const left = 14 - Math.floor((sumX / (2 * sum) - x0) / k), top = 14 - Math.floor((sumY / (2 * sum) - y0) / k);
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) image[i * side + j] = Math.floor(mean(ink, size, x0 + (j - left) * k, y0 + (i - top) * k, k) + 0.5);
  }
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
    const i = Math.floor(p / side), j = p % side, x = at(i, j + 1) - at(i, j - 1), y = at(i + 1, j) - at(i - 1, j);
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
function pictureOf(values, put, className = '') {
  const canvas = make('canvas', { width: side, height: side, className });
  paint(canvas, values, put);
  return canvas;
}

// digitButton is a test digit that a click loads into the drawing.
function digitButton(i, caption) {
  const ariaLabel = `Load a ${labels[i]} ${caption}`, about = { type: 'button', className: 'digit', title: 'Load into the drawing' };
  return make('button', { ...about, ariaLabel, onclick: () => load(i) }, pictureOf(digit(i), inkPixel), caption);
}

// ---- Draw a digit ----
const sheet = $('draw'), width = sheet.width, pen = 22;
const ink = sheet.getContext('2d', { willReadFrequently: true }), heat = $('heat').getContext('2d');
let actions = []; // a test digit {digit}, a stroke {points} or {}, which clears; the newest last
let now;          // what became of the drawing, and what the network makes of it
let rival = null; // the digit that the one that is read is compared with
const cursor = { x: width / 2, y: width / 2, down: null, shown: false }; // the pen of the keyboard

function drawAction(a) {
  if (a.points) {
    Object.assign(ink, { lineWidth: pen, lineCap: 'round', lineJoin: 'round', strokeStyle: `rgb(${colour.ink})` });
    const [[x, y], ...others] = a.points;
    ink.beginPath();
    ink.moveTo(x, y);
    if (!others.length) ink.lineTo(x + 0.01, y); // a tap is a dot
    others.forEach(p => ink.lineTo(...p));
    ink.stroke();
  } else if ('digit' in a) {
    ink.drawImage(pictureOf(digit(a.digit), (p, at, v) => p.set([...colour.ink, v], at)), 0, 0, width, width);
  }
}

// settle shows and says what became of the drawing, when something has been done.
function settle() {
  update();
  say(['verdict', 'remark', 'unlike'].map(id => $(id).textContent).join(' '));
}

// become draws the actions and returns what the network sees of them: a test digit as it is, and
// strokes as cmd/predict makes a picture's ink.
function become() {
  ink.clearRect(0, 0, width, width);
  actions.slice(Math.max(0, actions.findLastIndex(a => !a.points))).forEach(drawAction);
  const last = actions.at(-1) ?? {};
  if ('digit' in last) {
    return { image: digit(last.digit), place: [width / side, 0, 0, width / side, 0, 0], label: labels[last.digit] };
  }
  const rgba = ink.getImageData(0, 0, width, width).data, grey = new Uint8Array(width * width);
  for (let i = 0; i < grey.length; i++) grey[i] = rgba[4 * i + 3];
  return { drawn: true, ...center(grey, width) ?? { image: new Uint8Array(pixels), place: identity, blank: true } };
}

const bars = [...document.querySelectorAll('[data-digit]')].map(bar => bar.firstChild);
bars.forEach((bar, k) => { bar.onclick = () => { rival = k === now.first || k === rival ? null : k; explain(); say($('why').textContent); }; });
walk(bars);
const strips = trained.map((l, n) => {
  const columns = l.out <= 32 ? l.out : Math.ceil(Math.sqrt(6 * l.out)), canvas = make('canvas', { width: columns, height: Math.ceil(l.out / columns), role: 'img' });
  canvas.style.width = Math.min(100, columns * 3) + '%';
  const title = make('p');
  $('layers').append(make('div', { className: 'layer' }, title, canvas));
  return a => {
    const top = size(a), active = a.filter(v => Math.abs(v) > 0.05 * top).length;
    title.textContent = canvas.ariaLabel = n < hidden ? `Layer ${n + 1}: ${active} of ${l.out} units answer, ${l.name}` : `Layer ${n + 1}: for and against each digit, 0 to 9`;
    paint(canvas, a, signed(top));
  };
});

// update shows what the network makes of the drawing.
function update() {
  performance.mark('drawn');
  now = become();
  const { image: whole, place } = upright(now.image), seen = now.drawn ? whole.map((p, j) => Math.min(p, most[j])) : whole;
  if (!data.Deskew) now.image = seen;
  const x = inputs(seen), { z, a } = forward(net, x), p = softmax(a.at(-1)), first = largest(p), second = largest(p.map((v, k) => k === first ? -1 : v));
  Object.assign(now, { seen, x, z, a, first, upright: place });
  bars.forEach((bar, k) => {
    const value = bar.parentNode.dataset.probability = now.blank ? 0 : p[k];
    bar.classList.toggle('first', !now.blank && k === first);
    bar.querySelector('i').style.width = 100 * value + '%';
    bar.querySelector('.value').textContent = now.blank ? '' : percent(value);
  });
  $('verdict').replaceChildren(...now.blank ? ['Nothing yet.'] : [make('b', {}, first), ` ${percent(p[first])}, then ${second} with ${percent(p[second])}`]);
  $('remark').textContent = 'label' in now ? `A test digit, labelled ${now.label}, read ${first}.` : now.extent < 3 * pen ? 'Draw larger: scaled up to 20 pixels, this is little but a blot.' : '';
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

const inside = [...Array(pixels).keys()].filter(at => at % side > 0 && at % side < side - 1 && at > side && at < pixels - side);
const blots = inside.map(at => [-side, 0, side].flatMap(by => [at + by - 1, at + by, at + by + 1])); // of 3×3 pixels

// missing returns where more ink would have the network read another digit: the blot that
// helps most by the derivative, again and again, twelve at most, and whether they do.
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

// paintHeat lays the pixels' contributions and the missing ink over the drawing, and the
// keyboard's pen.
function paintHeat() {
  heat.resetTransform();
  heat.clearRect(0, 0, width, width);
  Object.assign(heat, { strokeStyle: `rgb(${colour.positive})`, lineWidth: 1 });
  heat.beginPath();
  if (cursor.shown) heat.arc(cursor.x, cursor.y, pen / 2, 0, 7);
  heat.stroke();
  if (now.blank || !now.parts || !$('show-heat').checked) return;
  const put = signed(size(now.parts[0]), 0.5);
  const small = pictureOf(now.parts[0], (p, at, v) => { put(p, at, v); p[at + 3] = 0.9 * now.seen[at / 4]; });
  heat.transform(...now.place);
  heat.transform(...now.upright);
  heat.drawImage(small, 0, 0);
  Object.assign(heat, { strokeStyle: `rgb(${colour.negative})`, lineWidth: 0.25 });
  heat.beginPath();
  for (const j of now.hatched) {
    heat.moveTo(j % side, Math.floor(j / side) + 1);
    heat.lineTo(j % side + 1, Math.floor(j / side));
  }
  heat.stroke();
}

function load(i) {
  actions.push({ digit: i });
  settle();
  if (sheet.getBoundingClientRect().top < 0) $('drawing').scrollIntoView();
}

let frame = 0; // the next one, in which update will be called
const soon = () => { frame ||= requestAnimationFrame(() => { frame = 0; update(); }); };

// stroke begins a stroke at a point, or goes on with it to the point.
function stroke(at, begins) {
  if (actions.at(-1)?.example) actions.push({}); // the first stroke replaces the digit of the beginning
  if (begins) actions.push({ points: [] });
  actions.at(-1).points.push(at);
  soon();
}
function pointer(e, begins) {
  const box = sheet.getBoundingClientRect();
  stroke([(e.clientX - box.left) * width / box.width, (e.clientY - box.top) * width / box.height], begins);
}
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
  const all = e.getCoalescedEvents?.() ?? [];
  (all.length ? all : [e]).forEach(one => pointer(one, false));
};
sheet.onpointerup = sheet.onpointercancel = lift;

sheet.onkeydown = e => {
  const step = arrows[e.key], move = (v, by) => clamp(pen / 2, width - pen / 2, v + 7 * by), wasDown = cursor.down === 'key';
  if (!step && e.key !== ' ') return;
  e.preventDefault();
  cursor.shown = true;
  if (step) Object.assign(cursor, { x: move(cursor.x, step[0]), y: move(cursor.y, step[1]) });
  else if (wasDown) lift();
  else cursor.down = 'key';
  if (cursor.down === 'key') stroke([cursor.x, cursor.y], !wasDown);
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
let net, onPaper, answersOf, excites, known; // the network that is shown, what follows from it, and whether answersOf each sample is known
function adopt(shown) {
  net = shown;
  onPaper = forward(net, paper);
  answersOf = once(i => forward(net, inputsOf(i)).a);
  known = false;
  // excites returns what a unit answers to the sample: each answer, each digit's mean, the
  // digits whose mean is high, and the pixels whose ink goes with high answers.
  excites = net.map((_, n) => once(k => {
    const answers = sample.map(i => answersOf(i)[n][k]), mean = average(answers), picture = new Float64Array(pixels);
    const means = ten.map(d => ({ name: 'digit ' + d, d, value: average(answers.filter((_, i) => labels[i] === d)) }));
    sample.forEach(i => digit(i).forEach((p, j) => { picture[j] += p * (answers[i] - mean); }));
    const limit = (Math.max(...means.map(m => m.value)) + mean) / 2, best = means.filter(m => m.value >= limit).sort((a, b) => b.value - a.value);
    return { answers, means, picture, digits: best.slice(0, 3).map(m => m.d).join(' ') };
  }));
}
adopt(trained);

const flow = $('flow'), wires = [], drawing = pictureOf([]);
const wireBox = svg('svg', { viewBox: `0 0 ${net.length + 1} 1`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
let followed = null; // the node {n, k} whose sum is shown: unit k of layer n, from 0
const isFollowed = b => followed !== null && followed.n === b.n && followed.k === b.k;
const slots = net.map((l, n) => Array.from({ length: n < hidden ? Math.min(8, l.out) : 10 }, () => {
  const b = make('button', { type: 'button', className: 'node' }, n < hidden ? pictureOf([]) : make('b'), make('span', { className: 'unseen' }), make('small'), make('span'));
  b.onclick = () => {
    followed = isFollowed(b) ? null : { n, k: b.k };
    explain();
    if (followed && n === 0) showUnit(b.k);
    if (followed) say($('sum').textContent);
  };
  return b;
}));
const nodes = slots.flat();
flow.style.setProperty('--columns', net.length + 1);
flow.append(wireBox, make('div', {}, drawing), ...slots.map(of => make('div', {}, ...of)), make('p', {}, 'drawing'), ...net.map((_, n) => make('p', {}, n < hidden ? `layer ${n + 1}` : 'digits')));
slots.forEach((of, n) => of.forEach((to, r) => (n ? slots[n - 1] : [drawing]).forEach((from, s, all) => {
  wires.push({ n, from, to, line: svg('line', { x1: n + 0.5, y1: (s + 0.5) / all.length, x2: n + 1.5, y2: (r + 0.5) / of.length }) });
})));
wireBox.append(...wires.map(w => w.line));
walk(nodes);

// showFlow follows the answer through the units that contributed most to it.
function showFlow() {
  const units = slots.map((of, n) => n === hidden ? ten : strongest(Array.from(now.parts[n + 1], (value, k) => ({ k, value })), of.length).map(u => u.k));
  if (followed && !units[followed.n].includes(followed.k)) followed = null;
  const near = n => !followed || Math.abs(n - followed.n) === 1;
  paint(drawing, now.seen, inkPixel);
  drawing.classList.toggle('faded', !near(-1));
  slots.forEach((of, n) => {
    const pictures = n === hidden ? [] : n ? units[n].map(k => known ? excites[n](k).picture : []) : units[0].map(k => vector(pixels, i => net[0].w[i * net[0].out + k] * (now.x[i] - paper[i])));
    of.forEach((b, r) => {
      const k = units[n][r], value = now.a[n][k];
      Object.assign(b, { n, k, title: unitName(n, k) });
      Object.assign(b.dataset, { layer: n + 1, node: k, value });
      b.classList.toggle('first', n === hidden && k === now.first);
      b.classList.toggle('faded', !near(n) && !isFollowed(b));
      [b.title, n && n < hidden && known ? excites[n](k).digits : '', short(value)].forEach((text, i) => { b.children[1 + i].textContent = text; });
      if (n === hidden) b.firstChild.textContent = k;
      else paint(b.firstChild, pictures[r], signed(size(pictures[r]), 0.5));
    });
  });
  choose(nodes, nodes.find(isFollowed));
  const flows = wires.map(w => w.n ? now.a[w.n - 1][w.from.k] * net[w.n].w[w.from.k * net[w.n].out + w.to.k] : now.z[0][w.to.k] - onPaper.z[0][w.to.k]);
  const tops = net.map((_, n) => size(flows.filter((_, i) => wires[i].n === n)));
  wires.forEach(({ n, from, to, line }, i) => {
    line.setAttribute('class', (flows[i] < 0 ? 'against' : 'for') + (followed && !isFollowed(from) && !isFollowed(to) ? ' faded' : ''));
    line.setAttribute('stroke-width', 7 * Math.abs(flows[i]) / tops[n] || 0);
  });
  if (!followed) return $('sum').replaceChildren('Choose a unit or a digit, and see what it adds up.');
  const { n, k } = followed, { parts, total } = adds(n, k), does = n === hidden ? 'logit' : net[n].name === 'relu' ? 'ReLU' : net[n].name;
  const told = [...parts.map((p, i) => [`${i ? ' +' : ':'} ${p.name} `, p.value]), [' = ', total], [` → ${does} `, now.a[n][k]]];
  $('sum').replaceChildren(make('b', {}, unitName(n, k)), ...told.map(([text, value]) => {
    const e = make('span', {}, text + short(value));
    e.dataset.value = value;
    return e;
  }));
}

// adds returns what unit k of layer n adds up, and its strongest inputs. Pixels count by
// what they differ from paper.
function adds(n, k) {
  const l = net[n], bias = l.b[k], x = n ? now.a[n - 1] : vector(pixels, i => now.x[i] - paper[i]);
  const terms = Array.from(x, (v, i) => ({ name: n ? `unit ${i + 1}` : `${Math.floor(i / side) + 1}, ${i % side + 1}`, value: v * l.w[i * l.out + k] }));
  const all = sum(terms.map(t => t.value)), best = strongest(terms, 12), most = sum(best.map(t => t.value)), what = n ? 'inputs' : 'pixels';
  const parts = [{ name: `${best.length} strongest ${what}`, value: most }, { name: `${l.in - best.length} others`, value: all - most },
    ...n ? [] : [{ name: 'blank paper', value: onPaper.z[0][k] - bias }], { name: 'bias', value: bias }];
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
const tiles = shownUnits.map(k => {
  const b = make('button', { type: 'button', title: unitName(0, k), ariaLabel: unitName(0, k), onclick: () => showUnit(k) }, pictureOf([]));
  b.dataset.unit = k;
  $('tiles').append(b);
  return b;
});
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
  const outputs = (value, j) => ({ name: hidden === 1 ? 'digit ' + j : 'unit ' + (j + 1), value });
  const next = single ? [] : [titled('Where it goes', balances(strongest(Array.from(net[1].w.subarray(k * net[1].out, (k + 1) * net[1].out), outputs), 10)))];
  sumBox = make('div');
  $('unit').replaceChildren(make('h3', {}, unitName(0, k)),
    make('div', { className: 'columns' }, pictureOf(weightsOf(k), signed(peak), 'large'), sumBox, titled('Mean answer to each digit', balances(means)), ...next),
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
  chosenCell = cell;
  choose(cells, cell);
  const { true: want, read: as, count } = cell.dataset, shown = data.Cells[want][as], right = want === as;
  const few = shown.length < count ? `, ${shown.length} of them here` : '', order = right ? 'the least certain' : 'the worst';
  const title = make('h3', {}, want + (right ? ', read right' : ', read as ' + as));
  const about = make('p', { className: 'quiet' }, shown.length ? `${count} of the test digits${few}, ${order} first, with the probability of ${want}.` : 'There is none.');
  $('cell').replaceChildren(title, about, make('div', { className: 'strip' }, ...shown.map(i => digitButton(i, percent(probabilities[10 * i + Number(want)])))));
}
for (const b of cells) b.onclick = () => { showCell(b); say([...$('cell').children].slice(0, 2).map(e => e.textContent).join('. ')); };
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
  const epoch = Number($('epoch').value), e = history[epoch - 1], stat = Number($('stat').value), { Label: label, Share: share } = data.Stats[stat];
  const of = (...what) => trend(history, ...what), show = (id, y, lines) => chart($(id), { x: 'epoch', y, at: epoch, lines });
  const losses = [of('training', 'Loss', 'muted'), of('test', 'TestLoss', 'positive'), of('held out', 'ValidationLoss', 'negative')];
  show('loss-chart', 'loss', losses);
  show('accuracy-chart', 'share read right', [of('training', 'Metric', 'muted'), of('test', 'TestMetric', 'positive')]);
  const loss = `loss ${four(e.Loss)} in training, ${four(e.TestLoss)} in the test`, accuracy = `accuracy ${four(e.Metric)} and ${four(e.TestMetric)}`;
  $('moment').textContent = `Epoch ${epoch} of ${history.length}: ${loss}; ${accuracy}`;
  const layers = e.Layers ?? [], begin = data.First ? [{ Layers: data.First }] : [{}];
  $('layer-figure').hidden = !layers.length;
  chart($('layer-chart'), {
    x: 'epoch, 0 being the first step', y: label, at: epoch, log: !share, zero: share, lines: layers.map((_, n) => ({
      name: 'layer ' + (n + 1), colour: layerColour(n, layers.length),
      points: [...begin, ...history].map((h, i) => [i, h.Layers?.[n]?.[stat] ?? null]),
    })),
  });
  const row = (name, head, cells) => make('tr', {}, make('th', { scope: head === 'th' ? 'col' : 'row' }, name), ...cells.map((c, k) => make(head, { className: k === stat ? 'chosen' : '' }, c)));
  $('stats').replaceChildren(row('epoch ' + epoch, 'th', data.Stats.map(s => s.Label)), ...layers.map((l, n) => row('layer ' + (n + 1), 'td', l.map(short))));
}

// ---- Break it ----
let broken = trained, attempt = 0;
$('break-layer').append(make('option', { value: -1 }, 'all layers'), ...trained.map((l, n) => make('option', { value: n }, `layer ${n + 1}, ${l.in} × ${l.out}`)));
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
  let right = 0, whole = 0;
  await spread(data.Sample, i => {
    right += largest(forward(broken, inputsOf(i)).a.at(-1)) === labels[i];
    whole += read[i] === labels[i];
  }, i => {
    if (mine !== attempt) return false;
    const now = 100 * right / i, before = 100 * whole / i;
    $('broken-accuracy').textContent = now.toFixed(1) + ' %';
    $('broken-change').textContent = now === before ? 'as the whole network' : `${now > before ? '+' : '−'}${Math.abs(now - before).toFixed(1)} points`;
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
  return trained.map((l, n) => {
    const step = floats(units[n].Step);
    return { ...l, b: floats(units[n].B), w: l.w.map((_, i) => weights[at++] * step[i % l.out]) };
  });
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
// paintAll paints everything, again if the colours have changed.
function paintAll() {
  readColours();
  showStarts();
  cost = 0; // nothing may come later, on paper
  paintTiles();
  update();
  showUnit(chosenUnit ?? slots[0][0].k); // at first the unit that contributes most
  showCell(chosenCell);
  showReliability();
  showHistory();
}
actions = [{ digit: Math.max(0, labels.indexOf(3)), example: true }];
for (const id of ['stat', 'epoch']) $(id)?.addEventListener('input', showHistory);
paintAll();
study().then(breakIt);
if (slider) unpack();
matchMedia('screen and (prefers-color-scheme: dark)').addEventListener('change', paintAll);
new ResizeObserver(() => { showHistory(); showReliability(); }).observe($('history'));

const inputsOfBytes = image => inputs(upright(Uint8Array.from(image)).image), logits = image => Array.from(forward(net, inputsOfBytes(image)).a.at(-1));
window.mlp = Object.freeze({
  logits, predict: image => softmax(logits(image)), image: () => Array.from(now.image),
  unlike: image => familiar ? compare(Uint8Array.from(image)).unlike : null,
  attribution: (image, digit) => Array.from(attribute(net, paper, inputsOfBytes(image), towards(digit))[0]),
});
