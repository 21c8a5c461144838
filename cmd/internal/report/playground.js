// The playground trains a small network on points of a plane. A step of SGD is the Go package's, of all points.
const knobs = $('knobs').elements, knob = name => knobs[name].value;
let points; // [x, y, class], x and y from −2 to 2, the class 0 or 1
let net, steps, loss, right, losses; // losses has [step, loss], the older the fewer
let seed = 1, isRunning = false, frames = 0;

// ---- The step ----
// answer returns what a layer answers to each of the rows. Batch normalisation takes μ and σ from the points alone.
function answer(l, rows, arePoints) {
  const affineOnly = l.gain ? { ...l, b: l.b.map(() => 0) } : l, z = rows.map(x => affine(affineOnly, x));
  if (l.gain && arePoints) {
    l.mean = vector(l.out, j => average(z.map(r => r[j])));
    l.dev = vector(l.out, j => Math.sqrt(average(z.map(r => (r[j] - l.mean[j]) ** 2)) + 1e-5));
  }
  const hat = l.gain && z.map(r => r.map((v, j) => (v - l.mean[j]) / l.dev[j]));
  const a = hat ? hat.map(r => r.map((v, j) => l.f(l.gain[j] * v + l.b[j]))) : z.map(r => r.map(l.f));
  if (arePoints) Object.assign(l, { x: rows, hat, a });
  return a;
}

// measure computes the loss, its derivatives d by what a layer learns, and the layer's ‖δ‖: δ is the derivative by
// what the activation takes, for each point and unit.
function measure() {
  const n = points.length, y = net.reduce((x, l) => answer(l, x, true), points.map(([x, y]) => [x, y]));
  loss = right = 0;
  const dy = points.map(([, , c], i) => {
    const ahead = y[i][c] - y[i][1 - c], wrong = 1 / (1 + Math.exp(ahead)) / n;
    loss += (Math.max(-ahead, 0) + Math.log1p(Math.exp(-Math.abs(ahead)))) / n;
    right += (ahead > 0) / n;
    return c ? [wrong, -wrong] : [-wrong, wrong];
  });
  net.reduceRight((da, l) => {
    const total = rows => vector(l.out, j => sum(rows.map(r => r[j]))), d = l.d = {};
    let dz = da.map((r, i) => r.map((v, j) => v * l.slope(l.a[i][j])));
    l.norm = Math.sqrt(sum(dz.map(r => dot(r, r))));
    d.b = total(dz);
    if (l.gain) {
      d.gain = total(dz.map((r, i) => r.map((v, j) => v * l.hat[i][j])));
      const rest = (v, i, j) => v - d.b[j] / n - l.hat[i][j] * d.gain[j] / n;
      dz = dz.map((r, i) => r.map((v, j) => l.gain[j] / l.dev[j] * rest(v, i, j)));
    }
    d.w = new Float64Array(l.w.length);
    dz.forEach((r, p) => l.x[p].forEach((x, i) => r.forEach((v, j) => { d.w[i * l.out + j] += x * v; })));
    return dz.map(r => through(l, r));
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
const variances = { small: () => 1e-4, xavier: (n, m) => 2 / (n + m), he: n => 2 / n, lecun: n => 1 / n };
const shapes = { // where points stand, t being from 0 to 1 and side 1 or −1 by the class, and their noise
  spirals: [(t, side) => [Math.cos(9 * t), Math.sin(9 * t)].map(v => side * (0.1 + 1.7 * t) * v), 0.05],
  moons: [(t, side) => [side * (Math.cos(Math.PI * t) - 0.5), side * (0.4 - Math.sin(Math.PI * t))], 0.15],
};

function setPoints() {
  const [stand, noise] = shapes[knob('data')] ?? [], normal = gaussian(1), noisy = v => v + noise * normal();
  points = [...Array(stand ? 200 : 0).keys()].map(i => [...stand(i / 200, i % 2 ? -1 : 1).map(noisy), i % 2]);
}

// begin begins anew with the network that the knobs say.
function begin() {
  const widths = [2, ...Array(+knob('depth')).fill(+knob('width')), 2], normal = gaussian(seed);
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
const grid = [...Array(cells ** 2).keys()].map(i => [i % cells, Math.floor(i / cells)].map(v => (v + 0.5) * 4 / cells - 2));
function draw(whole = true) {
  measure();
  const y = net.reduce((x, l) => {
    const a = answer(l, x, false), middle = l.f === activations.sigmoid[0] ? 0.5 : 0;
    if (whole) l.tiles.forEach((tile, j) => {
      const values = a.map(r => r[j] - middle);
      paint(tile, values, signed(1.2 * size(values)));
    });
    l.bar.style.height = clamp(0, 100, 100 + 100 / 12 * Math.log10(l.norm)) + '%';
    l.number.textContent = short(Number(l.norm.toPrecision(1)));
    return a;
  }, grid);
  paint($('plane'), y.map(([blue, orange]) => Math.tanh((blue - orange) / 2)), signed(1.8));
  $('now').textContent = `Step ${decimals(steps, 0)}: loss ${short(loss)}, ${percent(right)} right.`;
  $('verdict').textContent = verdict(net[0].norm / net.at(-1).norm);
  if (!whole) return;
  const circle = (cx, cy, name) => svg('circle', { cx, cy, r: 0.06, class: name });
  const circles = points.map(([x, y, c]) => circle(x, y, c ? 'against' : 'for'));
  $('points').replaceChildren(...circles, circle(cursor.x, cursor.y, 'cursor'));
  const lines = [line('loss', 'positive', [...losses, [steps, loss]])];
  chart($('loss'), { lines, at: steps, x: 'Step', y: 'Mean cross-entropy', zero: true });
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
$('points').onclick = e => add(...within($('points'), e).map(v => 4 * v - 2), e.shiftKey);
$('points').onkeydown = e => {
  moveCursor(cursor, (arrows[e.key] ?? [0, 0]).map(v => v / 10), -2, 2);
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
setPoints();
onColours(() => { if (net) draw(); });
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
