// The playground trains a small network on points of a plane. A step is the Go package's: forward,
// SoftmaxCrossEntropy, backward and SGD, of all points at once.
const knobs = $('knobs').elements, knob = name => knobs[name].value;
let points; // [x, y, class], x and y from −2 to 2, the class 0 or 1
let net, steps, loss, right, losses; // losses has [step, loss], the older the fewer
let seed = 1, random, isRunning = false, frames = 0; // random is the state of uniform

// ---- The step ----
// product returns x·y, n×k by k×m, whose rows and columns have these strides.
function product(n, k, m, x, xRow, xColumn, y, yRow, yColumn) {
  const z = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let p = 0; p < k; p++) {
      const v = x[i * xRow + p * xColumn];
      for (let j = 0, at = i * m, from = p * yRow; j < m; j++, at++, from += yColumn) z[at] += v * y[from];
    }
  }
  return z;
}
// matrix returns an n×m matrix whose element i, which is in column j, is f(i, j).
function matrix(n, m, f) {
  const z = new Float64Array(n * m);
  for (let i = 0; i < z.length;) for (let j = 0; j < m; j++, i++) z[i] = f(i, j);
  return z;
}
const one = vector(1, () => 1), columnSums = (z, m) => product(1, z.length / m, m, one, 0, 0, z, m, 1);

// answer returns what a layer answers to the rows x. Batch normalisation takes μ and σ of these rows
// if they are the points, and otherwise has those of the points.
function answer(l, x, arePoints) {
  const m = l.out, n = x.length / l.in;
  const z = product(n, l.in, m, x, l.in, 1, l.w, m, 1);
  let hat = null;
  if (l.gain) {
    if (arePoints) l.mean = columnSums(z, m).map(v => v / n);
    const off = matrix(n, m, (i, j) => z[i] - l.mean[j]);
    if (arePoints) l.dev = columnSums(matrix(n, m, i => off[i] ** 2), m).map(v => Math.sqrt(v / n + 1e-5));
    hat = matrix(n, m, (i, j) => off[i] / l.dev[j]);
  }
  const a = matrix(n, m, (i, j) => l.f((hat ? l.gain[j] * hat[i] : z[i]) + l.b[j]));
  if (arePoints) Object.assign(l, { x, hat, a });
  return a;
}

// measure computes the loss, its derivatives d by what a layer learns, and the layer's ‖δ‖: δ is the
// derivative by what the activation takes, for each point and unit.
function measure() {
  const n = points.length, dy = new Float64Array(2 * n);
  const y = net.reduce((x, l) => answer(l, x, true), matrix(n, 2, (i, j) => points[i >> 1][j]));
  loss = right = 0;
  points.forEach(([, , c], i) => {
    const ahead = y[2 * i + c] - y[2 * i + 1 - c], wrong = 1 / (1 + Math.exp(ahead)) / n;
    loss += (Math.max(-ahead, 0) + Math.log1p(Math.exp(-Math.abs(ahead)))) / n;
    right += (ahead > 0) / n;
    dy[2 * i + c] = -wrong;
    dy[2 * i + 1 - c] = wrong;
  });
  net.reduceRight((da, l) => {
    const m = l.out, d = l.d = {};
    let dz = matrix(n, m, i => da[i] * l.slope(l.a[i]));
    l.norm = Math.sqrt(product(1, n * m, 1, dz, 0, 1, dz, 1, 0)[0]);
    d.b = columnSums(dz, m);
    if (l.gain) {
      const dy = dz;
      d.gain = columnSums(matrix(n, m, i => dy[i] * l.hat[i]), m);
      dz = matrix(n, m, (i, j) => l.gain[j] / l.dev[j] * (dy[i] - d.b[j] / n - l.hat[i] * d.gain[j] / n));
    }
    d.w = product(l.in, n, m, l.x, 1, l.in, dz, m, 1);
    return product(n, m, l.in, dz, m, 1, l.w, 1, m);
  }, dy);
}
function step() {
  measure();
  losses.push([steps++, loss]);
  if (losses.length > 400) losses = losses.filter((_, i) => i % 2 === 0);
  const rate = +knob('rate');
  for (const l of net) for (const p in l.d) l[p] = l[p].map((v, i) => v - rate * l.d[p][i]);
}

// ---- The beginning ----
function uniform() { // from 0 to 1, by xorshift (Marsaglia 2003)
  random ^= random << 13;
  random ^= random >>> 17;
  random ^= random << 5;
  return (random >>> 0) / 2 ** 32;
}
const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
const variances = { small: () => 1e-4, xavier: (n, m) => 2 / (n + m), he: n => 2 / n, lecun: n => 1 / n };
const shapes = { // where points stand, t being from 0 to 1 and side 1 or −1 by the class, and their noise
  spirals: [(t, side) => [Math.cos(9 * t), Math.sin(9 * t)].map(v => side * (0.1 + 1.7 * t) * v), 0.05],
  circles: [(t, side) => [Math.cos(7 * t), Math.sin(7 * t)].map(v => (1.1 - side / 2) * v), 0.12],
  moons: [(t, side) => [side * (Math.cos(Math.PI * t) - 0.5), side * (0.4 - Math.sin(Math.PI * t))], 0.15],
  xor: [(t, side) => t < 0.5 ? [1, side] : [-1, -side], 0.35],
};

function setPoints() {
  const [stand, noise] = shapes[knob('data')] ?? [], noisy = v => v + noise * normal();
  random = 1;
  points = [...Array(stand ? 200 : 0).keys()].map(i => [...stand(i / 200, i % 2 ? -1 : 1).map(noisy), i % 2]);
}

// begin begins anew with the network that the knobs say.
function begin() {
  const widths = [2, ...Array(+knob('depth')).fill(+knob('width')), 2];
  random = seed * 0x9e3779b9 | 1;
  net = widths.slice(1).map((out, k) => {
    const isHidden = k < widths.length - 2, [f, slope] = activations[isHidden ? knob('activation') : 'linear'];
    const deviation = Math.sqrt(variances[knob('init')](widths[k], out)), bar = make('i'), number = make('b');
    return {
      in: widths[k], out, f, slope, bar, number, name: isHidden ? `layer ${k + 1}` : 'output',
      w: vector(widths[k] * out, () => deviation * normal()), b: new Float64Array(out),
      gain: isHidden && knob('norm') === 'batch' && vector(out, () => 1),
      tiles: [...Array(out)].map(() => make('canvas', { width: cells, height: cells })),
    };
  });
  const column = l => make('li', {}, make('span', {}, l.bar), l.number, l.name, ...l.tiles);
  $('layers').replaceChildren($('scale'), ...net.map(column));
  steps = 0, losses = [];
  draw();
}

// ---- The page ----
const cells = 32, cursor = { x: 0, y: 0 }; // where the keyboard sets a point
const grid = matrix(cells ** 2, 2, (i, j) => ((j ? Math.floor(i / 2 / cells) : i / 2 % cells) + 0.5) * 4 / cells - 2);
function draw(whole = true) {
  measure();
  const y = net.reduce((x, l) => {
    const a = answer(l, x, false), middle = l.f === activations.sigmoid[0] ? 0.5 : 0;
    if (whole) l.tiles.forEach((tile, j) => {
      const values = vector(cells ** 2, i => a[i * l.out + j] - middle);
      paint(tile, values, signed(1.2 * size(values)));
    });
    l.bar.style.height = clamp(0, 100, 100 + 100 / 12 * Math.log10(l.norm)) + '%';
    l.number.textContent = short(Number(l.norm.toPrecision(1)));
    return a;
  }, grid);
  paint($('plane'), vector(cells ** 2, i => Math.tanh((y[2 * i] - y[2 * i + 1]) / 2)), signed(1.8));
  $('now').textContent = `Step ${decimals(steps, 0)}: loss ${short(loss)}, ${percent(right)} right.`;
  $('verdict').textContent = verdict(net[0].norm / net.at(-1).norm);
  if (!whole) return;
  const circle = (cx, cy, name) => svg('circle', { cx, cy, r: 0.06, class: name });
  const circles = points.map(([x, y, c]) => circle(x, y, c ? 'against' : 'for'));
  $('points').replaceChildren(...circles, circle(cursor.x, cursor.y, 'cursor'));
  const line = { name: 'loss', colour: 'rgb(var(--positive))', points: [...losses, [steps, loss]] };
  chart($('loss'), { lines: [line], at: steps, x: 'Step', y: 'Mean cross-entropy', zero: true });
}

// verdict says what share of the output's gradient reaches the first layer.
function verdict(share) {
  if (!points.length) return 'Without points there is no gradient: click into the plane.';
  if (!(share < Infinity)) return 'There are no numbers any more: the rate is too large.';
  if (!share) return 'Layer 1 gets nothing of the output’s gradient: all units of some layer answer 0.';
  const times = share < 1 ? `1/${short(1 / share)} of` : `${short(share)} times`;
  const how = share < 1e-3 ? 'has vanished, and layer 1 hardly learns' : share < 0.1 ? 'fades'
    : share < 10 ? 'arrives' : 'grows';
  return `Layer 1 gets ${times} the output’s gradient: it ${how}.`;
}

function run(on) {
  if (isRunning && !on) say($('now').textContent + ' ' + $('verdict').textContent);
  isRunning = on;
  $('play').textContent = on ? 'Pause' : 'Play';
}
// frame takes up to ten steps, if there is time, and draws. What is slow is drawn every sixth time.
function frame() {
  if (isRunning) {
    for (let i = 0, end = performance.now() + 6; i < 10 && performance.now() < end; i++) step();
    draw(frames++ % 6 === 0);
    run(Number.isFinite(loss));
  }
  requestAnimationFrame(frame);
}
function set(values) {
  for (const name in values) knobs[name].value = values[name];
  begin();
}
function add(x, y, other) {
  points.push([x, y, knob('side') ^ other]);
  draw();
}
$('points').onclick = e => {
  const r = e.currentTarget.getBoundingClientRect();
  add((e.clientX - r.left) / r.width * 4 - 2, (e.clientY - r.top) / r.height * 4 - 2, e.shiftKey);
};
$('points').onkeydown = e => {
  const [dx, dy] = arrows[e.key] ?? [0, 0];
  Object.assign(cursor, { x: clamp(-2, 2, cursor.x + dx / 10), y: clamp(-2, 2, cursor.y + dy / 10) });
  if (e.key === 'Enter') add(cursor.x, cursor.y, e.shiftKey);
  else draw();
  if (arrows[e.key]) e.preventDefault();
};
$('knobs').onchange = e => {
  if (e.target.name === 'data') setPoints();
  if (e.target.name !== 'rate' && e.target.name !== 'side') begin();
};
$('play').onclick = () => run(!isRunning);
$('step').onclick = () => { run(false); step(); draw(); };
$('again').onclick = begin;
$('others').onclick = () => { seed++; begin(); };
for (const b of document.querySelectorAll('[data-knobs]')) {
  b.onclick = () => { set(JSON.parse(b.dataset.knobs)); run(true); };
}
matchMedia('screen and (prefers-color-scheme: dark)').addEventListener('change', () => { readColours(); draw(); });
readColours();
setPoints();
begin();
run(!matchMedia('(prefers-reduced-motion: reduce)').matches);
frame();

window.playground = Object.freeze({
  load: (values, its, layers) => {
    set(values);
    points = its;
    layers.forEach((l, k) => { for (const p in l) net[k][p] = Float64Array.from(l[p]); });
  },
  step: n => {
    while (n-- > 0) step();
    draw();
    return { loss, layers: net.map(({ w, b, gain, norm }) => ({ w: [...w], b: [...b], gain: [...gain || []], norm })) };
  },
});
