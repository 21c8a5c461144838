// What all pages share: elements, numbers, a network and what contributed to its answer,
// colours, and charts. Texts from a model are never put in as HTML, only as text.
const $ = id => document.getElementById(id);

// make returns a new element with properties and children.
function make(name, properties = {}, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children);
  return e;
}
function svg(name, attributes = {}, text = '') {
  const e = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const key in attributes) e.setAttribute(key, attributes[key]);
  e.textContent = text;
  return e;
}

// say has a screen reader say a text. All of the page that is said goes through here, when
// something has been done, not while it is being done.
const say = text => { $('said').textContent = text; };

// choose marks one of some buttons as chosen, or none. Tab reaches that one, or the first,
// and walk has the arrow keys go from there to the nearest in their direction.
function choose(buttons, chosen) {
  for (const b of buttons) b.ariaPressed = b === chosen, b.tabIndex = b === (chosen ?? buttons[0]) ? 0 : -1;
}
const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const walk = buttons => buttons.forEach(b => b.addEventListener('keydown', e => {
  if (!arrows[e.key]) return;
  const [dx, dy] = arrows[e.key], middle = b => (r => [r.left + r.width / 2, r.top + r.height / 2])(b.getBoundingClientRect());
  const [x0, y0] = middle(b), distance = other => {
    const [x, y] = middle(other), ahead = dx * (x - x0) + dy * (y - y0);
    return ahead > 1 ? ahead + 3 * Math.abs(dy * (x - x0) + dx * (y - y0)) : Infinity;
  };
  const nearest = buttons.reduce((a, b) => distance(b) < distance(a) ? b : a, b);
  nearest.focus();
  e.preventDefault();
}));

// ---- Numbers ----
function bytes(base64) {
  const text = atob(base64), b = new Uint8Array(text.length);
  for (let i = 0; i < b.length; i++) b[i] = text.charCodeAt(i);
  return b;
}

// floats reads numbers of which only the six upper bytes were written.
function floats(base64) {
  const b = bytes(base64), all = new Float64Array(b.length / 6), to = new Uint8Array(all.buffer);
  for (let i = 0; i < b.length; i++) to[i + 2 * Math.floor(i / 6) + 2] = b[i];
  return all;
}

// vector returns the numbers f(0) to f(n − 1).
function vector(n, f) {
  const v = new Float64Array(n);
  for (let i = 0; i < n; i++) v[i] = f(i);
  return v;
}
const sum = values => values.reduce((a, b) => a + b, 0);
function dot(a, b) {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}
const average = values => sum(values) / Math.max(1, values.length);
const largest = p => p.indexOf(Math.max(...p));
const clamp = (low, high, v) => Math.max(low, Math.min(high, v));
const size = values => values.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-300);
const strongest = (items, n) => items.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, n);
const once = f => { // computes f(i) when it is first asked for
  const known = [];
  return i => known[i] ??= f(i);
};

// gaussian returns a source of numbers from N(0, 1), the same for a seed: xorshift (Marsaglia 2003)
// gives numbers between 0 and 1, and two of them make one (Box and Muller 1958).
function gaussian(seed) {
  let state = seed * 0x9e3779b9 | 1;
  const uniform = () => {
    for (const by of [13, -17, 5]) state ^= by > 0 ? state << by : state >>> -by;
    return (state >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

const percent = p => p > 0.9995 && p < 1 ? '> 99.9 %' : p > 0 && p < 0.0005 ? '< 0.1 %' : (100 * p).toFixed(1) + ' %';
const decimals = (v, n) => v.toLocaleString('en', { minimumFractionDigits: n, maximumFractionDigits: n }).replace('-', '−');

// power writes m·10ᵉ.
const power = (m, e) => (m === '1' ? '' : m === '−1' ? '−' : m + '·') + '10' + String(e).replace(/./g, c => '⁰¹²³⁴⁵⁶⁷⁸⁹⁻'['0123456789-'.indexOf(c)]);
function short(v) {
  if (v === null || Number.isNaN(v)) return 'not a number';
  if (Math.abs(v) === Infinity) return v > 0 ? '∞' : '−∞';
  if (v === 0 || Math.abs(v) >= 1e-3 && Math.abs(v) < 1e7) return Number(v.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 5 }).replace('-', '−');
  const [m, e] = v.toExponential(1).split('e');
  return power(m.replace('-', '−').replace('.0', ''), Number(e));
}

// ---- The network ----
const activations = { // f(z), and its derivative in terms of a = f(z)
  relu: [z => z > 0 ? z : 0, a => a > 0 ? 1 : 0],
  sigmoid: [z => 1 / (1 + Math.exp(-z)), a => a * (1 - a)],
  tanh: [Math.tanh, a => 1 - a * a],
  linear: [z => z, () => 1],
};
const network = layers => layers.map(l => ({
  in: l.In, out: l.Out, name: l.Act, f: activations[l.Act][0], slope: activations[l.Act][1], w: floats(l.W), b: floats(l.B),
}));

// affine returns what a layer adds up for its inputs.
function affine(l, x) {
  const z = l.b.slice();
  for (let i = 0, at = 0; i < l.in; i++, at += l.out) {
    const v = x[i];
    if (v !== 0) for (let j = 0; j < l.out; j++) z[j] += v * l.w[at + j];
  }
  return z;
}

// forward returns each layer's sums z and its answers a = f(z), for inputs of the network,
// or for the first layer's sums.
const forward = (net, x) => upward(net, affine(net[0], x));
function upward(net, sums) {
  const z = [], a = [];
  net.forEach((l, n) => {
    const of = z[n] = n ? affine(l, a[n - 1]) : sums;
    a[n] = vector(l.out, j => l.f(of[j]));
  });
  return { z, a };
}

// backward returns the derivative of direction·answer by each layer's sums. slopes has the
// derivative of what each unit answers by what it adds up.
function backward(net, direction, slopes) {
  const all = [];
  for (let n = net.length - 1, d = direction; n >= 0; n--) {
    const slope = slopes[n], of = d;
    all[n] = vector(slope.length, j => of[j] * slope[j]);
    if (n > 0) d = through(net[n], all[n]);
  }
  return all;
}
function through(l, dz) { // the derivative by a layer's inputs
  return vector(l.in, i => dot(dz, l.w.subarray(i * l.out)));
}

// attribute returns what the inputs, and then the units of each layer, contributed to the
// difference that inputs x make to direction·answer, compared with the inputs from: the
// integrated gradients (Sundararajan et al. 2017) along the straight line between them, and
// for units the same integral (Dhamdhere et al. 2018). Along each of 32 pieces of the line
// a slope is a unit's rise by its sum's rise, so that each layer's contributions add up to
// the difference.
function attribute(net, from, x, direction) {
  const start = affine(net[0], from), end = affine(net[0], x), steps = 32;
  const parts = net.map(l => new Float64Array(l.out)), total = new Float64Array(net[0].out);
  for (let s = 1, before = upward(net, start); s <= steps; s++) {
    const after = upward(net, vector(start.length, j => start[j] + (end[j] - start[j]) * s / steps));
    const rises = after.z.map((z, n) => vector(z.length, j => z[j] - before.z[n][j]));
    const d = backward(net, direction, rises.map((rise, n) => vector(rise.length, j => {
      const a = after.a[n][j];
      return Math.abs(rise[j]) > 1e-6 ? (a - before.a[n][j]) / rise[j] : net[n].slope(a);
    })));
    rises.forEach((rise, n) => { for (let j = 0; j < rise.length; j++) parts[n][j] += d[n][j] * rise[j]; });
    for (let j = 0; j < total.length; j++) total[j] += d[0][j];
    before = after;
  }
  const slope = through(net[0], total);
  return [vector(x.length, i => slope[i] / steps * (x[i] - from[i])), ...parts];
}

function softmax(y) {
  const top = Math.max(...y), e = Array.from(y, v => Math.exp(v - top)), total = sum(e);
  return e.map(v => v / total);
}

// ---- Colours ----
const colour = {}; // of what is for, against, neither, and of ink: red, green and blue
function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['positive', 'negative', 'card', 'ink']) colour[name] = style.getPropertyValue('--' + name).trim().split(' ').map(Number);
}

// mix sets a pixel to a colour over the card's; share is from 0 to 1.
function mix(p, at, c, share) {
  for (let k = 0; k < 3; k++) p[at + k] = colour.card[k] + (c[k] - colour.card[k]) * Math.min(1, share);
  p[at + 3] = 255;
}
const signed = (top, power = 1) => (p, at, v) => mix(p, at, v > 0 ? colour.positive : colour.negative, (Math.abs(v) / top) ** power);

// paint fills a canvas with a pixel for each value; the rest stays clear.
function paint(canvas, values, put) {
  const g = canvas.getContext('2d'), image = g.createImageData(canvas.width, canvas.height);
  values.forEach((v, i) => put(image.data, 4 * i, v));
  g.putImageData(image, 0, 0);
}

// ---- Charts ----
// balances lists signed numbers as bars to the left and right.
function balances(items) {
  const list = make('ul', { className: 'signed' }), top = size(items.map(i => i.value));
  for (const { name, value } of items) {
    const bar = make('i', { className: value < 0 ? 'negative' : 'positive' }), share = 50 * Math.abs(value) / top;
    bar.style.width = share + '%';
    bar.style.left = (value < 0 ? 50 - share : 50) + '%';
    list.append(make('li', {}, make('span', {}, name), make('span', { className: 'balance' }, bar), make('span', {}, short(value))));
  }
  return list;
}
const titled = (title, child) => make('div', {}, make('h3', {}, title), child);

// axis returns ticks {v, label} that enclose low to high, as roundTicks in svgplot.go does: at
// most five steps of 1, 2 or 5 times a power of ten, with as many digits as tell them apart. On a log
// axis, for positive low and high, they are 1, 2 and 5 times the powers of ten or, if these are too many, every power
// of ten, every second and so on.
function axis(low, high, log) {
  const n = 5, slack = 1e-10, plain = (v, digits) => decimals(v, Math.max(0, digits));
  if (log) {
    const lo = Math.log10(low), hi = Math.log10(high), short = lo > -3 - slack && hi < 7 + slack;
    for (let every = Math.floor((hi - lo) / n); ; every++) {
      const step = every || 1;
      let ticks = [];
      for (let e = Math.floor(lo / step) * step; ticks.length < n + 2; e += step) for (const m of every ? [1] : [1, 2, 5]) {
        const at = e + Math.log10(m), v = Number(m + 'e' + e);
        if (at <= lo + slack) ticks = [];
        ticks.push({ v, label: short ? plain(v, -e) : power(String(m), e) });
        if (at >= hi - slack && ticks.length > 1 && ticks.length < n + 2) return ticks;
      }
    }
  }
  const most = Math.max(-low, high), least = low < high ? most / 1e4 : most / 5 || 2, middle = low / 2 + high / 2;
  if (high - low < least) [low, high] = [middle - least / 2, middle + least / 2];
  for (let e = Math.floor(Math.log10((high - low) / n)); ; e++) for (const m of [1, 2, 5]) {
    const step = m * 10 ** e, first = Math.floor(low / step + slack), last = Math.ceil(high / step - slack);
    if (last - first > n) continue;
    const top = Math.max(-first, last) * step, [ticks, trimmed] = [[], text => text.replace(/\.?0+$/, '').replace('-', '−')];
    for (let i = first; i <= last; i++) {
      const v = Number(i * m + 'e' + e), [digits, exp] = v.toExponential(5).split('e');
      ticks.push({ v, label: top >= 1e-3 && top < 1e8 ? plain(v, -e) : v === 0 ? '0' : power(trimmed(digits), Number(exp)) });
    }
    return ticks;
  }
}

// axes puts an empty chart into a box, with the ticks {v, label} up and along its axes, and returns
// the picture, where numbers stand in it, and what adds to it.
function axes(box, title, up, along, { from, to, height, top = 10, bottom = 28, right = 24, place = v => v }) {
  const wide = ticks => 7 * Math.max(...ticks.map(t => t.label.length)), width = Math.max(240, box.clientWidth);
  const left = 14 + wide(up), room = width - left - right, low = place(up[0].v), high = place(up.at(-1).v);
  const tenth = v => Math.round(10 * v) / 10, X = v => tenth(left + room * (v - from) / (to - from));
  const Y = v => tenth(top + (high - place(v)) / (high - low) * (height - top - bottom));
  const picture = svg('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': title });
  const add = (name, attributes, text) => picture.appendChild(svg(name, attributes, text));
  const text = (x, y, anchor, words) => add('text', { x, y, 'text-anchor': anchor }, words);
  // path draws a line through points, which null and what is beyond the axis interrupt.
  const seen = ([x, y]) => usable(x) && usable(y, place);
  const path = points => points.map((p, i) =>
    seen(p) ? `${i && seen(points[i - 1]) ? 'L' : 'M'}${X(p[0])},${Y(p[1])}h0` : '').join('');
  for (const { v, label } of up) {
    add('line', { class: 'grid', x1: left, x2: left + room, y1: Y(v), y2: Y(v) });
    text(left - 6, Y(v) + 4, 'end', label);
  }
  const every = Math.ceil(along.length * (wide(along) + 10) / room);
  for (const { v, label } of along.filter((_, i) => i % every === 0)) text(X(v), height - bottom + 16, 'middle', label);
  box.replaceChildren(picture);
  return { picture, width, X, Y, add, text, path };
}
const usable = (v, place = v => v) => v !== null && Math.abs(place(v)) < 1e300;
const range = values => [Math.min, Math.max].map(f => values.reduce((a, b) => f(a, b)));

// line is one of a chart, and trend one of what was measured at each epoch.
const line = (name, colour, points) => ({ name, colour: `rgb(var(--${colour}))`, points });
const trend = (history, name, key, colour) => line(name, colour, history.map((h, i) => [i + 1, h[key]]));

// chart draws lines of points [x, value] into box, x being whole numbers, with the values at
// one x beside the names, or at that where the pointer is. A value that is null or cannot
// be drawn leaves a gap, and a line without values is left out. zero has the axis begin at 0.
function chart(box, { lines: all, at, x: xTitle, y: yTitle, log, zero }) {
  const place = log ? Math.log10 : v => v, known = ([, v]) => usable(v, place);
  const lines = all.filter(l => l.points.some(known)), points = lines.flatMap(l => l.points);
  if (!lines.length) return box.replaceChildren('Not measured.');
  const xs = [...new Set(points.map(p => p[0]))], [low, high] = range(points.filter(known).map(p => p[1]));
  const from = Math.min(...xs), to = Math.max(from + 1, ...xs), height = 240, top = 24, bottom = 40;
  const right = 62 + 7 * Math.max(...lines.map(l => l.name.length)), up = axis(zero ? 0 : low, high, log);
  const whole = axis(from, to).filter(t => Number.isInteger(t.v) && t.v >= from && t.v <= to - (to - from) / 6);
  const along = [...whole, { v: to, label: decimals(to, 0) }];
  function draw(at) {
    const values = lines.map(l => l.points.find(p => p[0] === at)?.[1] ?? null);
    const told = lines.map((l, n) => `${l.name} ${values[n] === null ? '–' : short(values[n])}`);
    const { picture, width, X, Y, add, text, path } = axes(box, `${yTitle}, by ${xTitle}. At ${at}: ${told.join(', ')}`,
      up, along, { from, to, height, top, bottom, right, place });
    text(X(from), 12, 'start', yTitle);
    text(X((from + to) / 2), height - 6, 'middle', xTitle);
    add('line', { class: 'marker', x1: X(at), x2: X(at), y1: top, y2: height - bottom });
    const names = lines.map((l, n) => {
      const g = add('g', {});
      g.style.color = l.colour;
      g.append(svg('path', { d: path(l.points) }));
      if (known([at, values[n]])) g.append(svg('circle', { cx: X(at), cy: Y(values[n]), r: 4 }));
      return { g, words: told[n], y: Y(l.points.findLast(known)[1]) };
    }).sort((a, b) => a.y - b.y);
    // Names stand at the lines' ends, and not in each other's way.
    const apart = Math.min(15, (height - top) / names.length);
    names.forEach((n, i) => { n.y = Math.max(n.y, i ? names[i - 1].y + apart : 0); });
    names.reduceRight((below, n) => n.y = Math.min(n.y, below - apart), height - bottom + apart + 4);
    for (const n of names) n.g.append(text(width - right + 8, n.y + 4, 'start', n.words));
    box.onpointermove = e => {
      const r = picture.getBoundingClientRect(), x = (e.clientX - r.left) / r.width * width;
      draw(xs.reduce((a, b) => Math.abs(X(b) - x) < Math.abs(X(a) - x) ? b : a));
    };
  }
  draw(at);
  box.onpointerleave = () => draw(at);
}

// The more of its row a cell of a confusion has, the darker it is.
for (const tr of document.querySelectorAll('tr:has([data-count])')) {
  const counts = [...tr.querySelectorAll('[data-count]')], all = sum(counts.map(e => Number(e.dataset.count)));
  for (const e of counts) e.style.setProperty('--share', Math.sqrt(e.dataset.count / Math.max(1, all)));
}
