// What all pages share: elements, numbers, a network and what contributed to its answer, colours, and charts. Texts
// from a model are never put in as HTML, only as text.
const $ = id => document.getElementById(id);

// make returns a new element with properties, data and children.
function make(name, { dataset, ...properties } = {}, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  Object.assign(e.dataset, dataset);
  e.append(...children);
  return e;
}
const button = (properties, ...children) => make('button', { type: 'button', ...properties }, ...children);
function svg(name, attributes = {}, text = '') {
  const e = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const key in attributes) e.setAttribute(key, attributes[key]);
  e.textContent = text;
  return e;
}

// say has a screen reader say a text. It is called when something has been done, not while it is being done.
const say = text => { $('said').textContent = text; };

// within returns where a pointer is in an element, as shares of its width and height.
function within(e, { clientX, clientY }) {
  const { left, top, width, height } = e.getBoundingClientRect();
  return [(clientX - left) / width, (clientY - top) / height];
}

// choose marks one of some buttons as chosen, or none. Tab reaches that one, or the first, and walk has the arrow
// keys go from there to the nearest in their direction.
function choose(buttons, chosen) {
  for (const b of buttons) b.ariaPressed = b === chosen, b.tabIndex = b === (chosen ?? buttons[0]) ? 0 : -1;
}
const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function moveCursor(cursor, [dx, dy], low, high) {
  Object.assign(cursor, { x: clamp(low, high, cursor.x + dx), y: clamp(low, high, cursor.y + dy) });
}
const walk = buttons => buttons.forEach(b => b.addEventListener('keydown', e => {
  if (!arrows[e.key]) return;
  const [dx, dy] = arrows[e.key], here = b.getBoundingClientRect();
  const distance = other => {
    const r = other.getBoundingClientRect(), x = r.left - here.left + (r.width - here.width) / 2;
    const y = r.top - here.top + (r.height - here.height) / 2, ahead = dx * x + dy * y;
    return ahead > 1 ? ahead + 3 * Math.abs(dy * x + dx * y) : Infinity;
  };
  buttons.reduce((a, b) => distance(b) < distance(a) ? b : a, b).focus();
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

// gaussian returns a source of numbers from N(0, 1), the same for a seed: xorshift (Marsaglia 2003) gives numbers
// between 0 and 1, and two of them make one (Box and Muller 1958).
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

// forward returns each layer's sums z and answers a = f(z) for the network's inputs, and upward for its first sums.
const forward = (net, x) => upward(net, affine(net[0], x));
function upward(net, sums) {
  const z = [], a = [];
  net.forEach((l, n) => {
    z[n] = n ? affine(l, a[n - 1]) : sums;
    a[n] = z[n].map(l.f);
  });
  return { z, a };
}

// backward returns the derivative of direction·answer by each layer's sums. slopes has the derivative of what each
// unit answers by what it adds up.
function backward(net, direction, slopes) {
  const all = [];
  for (let n = net.length - 1, d = direction; n >= 0; n--) {
    all[n] = slopes[n].map((slope, j) => d[j] * slope);
    if (n > 0) d = through(net[n], all[n]);
  }
  return all;
}
const through = (l, dz) => vector(l.in, i => dot(dz, l.w.subarray(i * l.out))); // the derivative by a layer's inputs

// attribute returns what the inputs, and then the units of each layer, contributed to the difference that inputs x
// make to direction·answer, compared with the inputs from: the integrated gradients (Sundararajan et al. 2017) along
// the straight line between them, and for units the same integral (Dhamdhere et al. 2018). Along each of 32 pieces of
// the line a slope is a unit's rise by its sum's rise, so that each layer's contributions add up to the difference.
function attribute(net, from, x, direction) {
  const start = affine(net[0], from), end = affine(net[0], x), steps = 32;
  const parts = net.map(l => new Float64Array(l.out)), total = new Float64Array(net[0].out);
  for (let s = 1, before = upward(net, start); s <= steps; s++) {
    const after = upward(net, vector(start.length, j => start[j] + (end[j] - start[j]) * s / steps));
    const rises = after.z.map((z, n) => z.map((v, j) => v - before.z[n][j]));
    const slope = (n, a, j) => Math.abs(rises[n][j]) > 1e-6 ? (a - before.a[n][j]) / rises[n][j] : net[n].slope(a);
    const d = backward(net, direction, after.a.map((a, n) => a.map((v, j) => slope(n, v, j))));
    parts.forEach((part, n) => part.forEach((_, j) => { part[j] += d[n][j] * rises[n][j]; }));
    d[0].forEach((v, j) => { total[j] += v; });
    before = after;
  }
  return [through(net[0], total).map((slope, i) => slope / steps * (x[i] - from[i])), ...parts];
}

function softmax(y) {
  const top = Math.max(...y), e = Array.from(y, v => Math.exp(v - top)), total = sum(e);
  return e.map(v => v / total);
}

// ---- Colours ----
const colour = {}; // of what is for, against, neither, and of ink: red, green and blue

// onColours calls paint now, and when light becomes dark or dark light.
function onColours(paint) {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['positive', 'negative', 'card', 'ink']) colour[name] = style.getPropertyValue('--' + name).trim().split(' ').map(Number);
  paint();
  matchMedia('screen and (prefers-color-scheme: dark)').addEventListener('change', () => onColours(paint), { once: true });
}

// mix sets a pixel to a colour over the card's; share is from 0 to 1.
function mix(p, at, c, share) {
  for (let k = 0; k < 3; k++) p[at + k] = colour.card[k] + (c[k] - colour.card[k]) * Math.min(1, share);
  p[at + 3] = 255;
}
const signed = (top, power = 1) => (p, at, v) => mix(p, at, v > 0 ? colour.positive : colour.negative, (Math.abs(v) / top) ** power);

// paint fills a canvas with a pixel for each value, and returns it; the rest stays clear.
function paint(canvas, values, put = signed(size(values), 0.5)) {
  const g = canvas.getContext('2d'), image = g.createImageData(canvas.width, canvas.height);
  values.forEach((v, i) => put(image.data, 4 * i, v));
  g.putImageData(image, 0, 0);
  return canvas;
}

// ---- Charts ----
// balances lists signed numbers, and by how much they may be off, as bars to the left and right.
function balances(items) {
  const list = make('ul', { className: 'signed' }), top = size(items.map(i => i.value));
  for (const { name, value, off } of items) {
    const bar = make('i', { className: value < 0 ? 'negative' : 'positive' }), share = 50 * Math.abs(value) / top;
    Object.assign(bar.style, { width: share + '%', left: (value < 0 ? 50 - share : 50) + '%' });
    const text = short(value) + (off === undefined ? '' : ` ± ${short(off)}`);
    list.append(make('li', {}, make('span', {}, name), make('span', { className: 'balance' }, bar), make('span', {}, text)));
  }
  return list;
}
const titled = (title, child) => make('div', {}, make('h3', {}, title), child);

// barButtons lists n bars that one can choose, and fill sets a bar's name, its share from 0 to 1 and its text.
function barButtons(n, chosen) {
  const bars = Array.from({ length: n }, (_, k) => button({ onclick: () => { chosen(k); say($('why').textContent); } },
    make('b'), make('span', { className: 'track' }, make('i')), make('span', { className: 'value' })));
  $('bars').append(...bars.map(b => make('li', {}, b)));
  walk(bars);
  return bars;
}
function fill(bar, name, share, text, isFirst) {
  bar.firstChild.textContent = name;
  bar.querySelector('i').style.width = 100 * share + '%';
  bar.lastChild.textContent = text;
  bar.parentNode.classList.toggle('first', isFirst);
}

// axis returns ticks {v, label} that enclose low to high, as roundTicks in svgplot.go does: at most five steps of 1,
// 2 or 5 times a power of ten, with as many digits as tell them apart. On a log axis, for positive low and high, they
// are 1, 2 and 5 times the powers of ten or, if these are too many, every power of ten, every second and so on.
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
    const top = Math.max(-first, last) * step, ticks = [], trimmed = text => text.replace(/\.?0+$/, '').replace('-', '−');
    for (let i = first; i <= last; i++) {
      const v = Number(i * m + 'e' + e), [digits, exp] = v.toExponential(5).split('e');
      ticks.push({ v, label: top >= 1e-3 && top < 1e8 ? plain(v, -e) : v === 0 ? '0' : power(trimmed(digits), Number(exp)) });
    }
    return ticks;
  }
}

// axes puts an empty chart with ticks {v, label} into a box, and returns it, where numbers stand, and what adds to it.
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

// line is one of a chart, and trends draws lines, each a name and a key of what was measured at each epoch.
const line = (name, colour, points) => ({ name, colour: `rgb(var(--${colour}))`, points });
function trends(box, y, at, history, ...of) {
  const colours = { training: 'muted', test: 'positive', 'held out': 'negative' };
  const lines = of.map(([name, key]) => line(name, colours[name], history.map((h, i) => [i + 1, h[key]])));
  chart(box, { x: 'epoch', y, at, lines });
}

// chart draws lines of points [x, value] into box, x being whole numbers, with the values at one x beside the names,
// or at that where the pointer is. A value that is null or cannot be drawn leaves a gap, and a line without values is
// left out. zero has the axis begin at 0.
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
      const x = within(picture, e)[0] * width;
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
