// What all pages share: elements, numbers, a network and what contributed to its answer,
// and charts. Texts from a model are never put in as HTML, only as text.
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
const average = values => sum(values) / Math.max(1, values.length);
const largest = p => p.indexOf(Math.max(...p));
const clamp = (low, high, v) => Math.max(low, Math.min(high, v));
const size = values => values.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-300);
const strongest = (items, n) => items.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, n);
const once = f => { // computes f(i) when it is first asked for
  const known = [];
  return i => known[i] ??= f(i);
};

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
  return vector(l.in, i => {
    let d = 0;
    for (let j = 0, at = i * l.out; j < l.out; j++) d += dz[j] * l.w[at + j];
    return d;
  });
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

// axis returns ticks {v, label} that enclose low to high: about five multiples of 1, 2 or 5
// times a power of ten, with as many digits as tell them apart. On a log axis, for positive
// low and high, they are powers of ten, and 2 and 5 times these if there is room.
function axis(low, high, log) {
  if (log) {
    const e0 = Math.floor(Math.log10(low)), decades = Math.max(1, Math.ceil(Math.log10(high)) - e0), step = Math.ceil(decades / 6);
    const all = Array.from({ length: Math.ceil(decades / step) + 1 }, (_, i) => e0 + i * step).flatMap(e => (decades > 2 ? [1] : [1, 2, 5]).map(m => Number(m + 'e' + e)));
    const first = all.findLastIndex(v => v <= low), last = Math.max(first + 1, all.findIndex(v => v >= high));
    return all.slice(first, last + 1).map(v => ({ v, label: short(v) }));
  }
  const gap = Math.max(high - low, 1e-4 * Math.max(-low, high)) || 1, e = Math.floor(Math.log10(gap / 5));
  const m = [1, 2, 5, 10].find(m => gap <= 5 * m * 10 ** e), step = m * 10 ** e, ticks = [];
  for (let i = Math.floor(low / step + 1e-9); i < Math.ceil((low + gap) / step - 1e-9) + 1; i++) ticks.push(Number(i * m + 'e' + e));
  const digits = m === 10 ? -e - 1 : -e, top = Math.floor(Math.log10(size(ticks)));
  const label = v => top < 9 && digits < 7 ? decimals(v, Math.max(0, digits)) : v === 0 ? '0' : power(decimals(v / 10 ** top, top + digits), top);
  return ticks.map(v => ({ v, label: label(v) }));
}

// chart draws lines of points [x, value] into box, x being whole numbers, with the values at
// one x beside the names, or at that where the pointer is. A value that is null or cannot
// be drawn leaves a gap. zero has the axis begin at 0.
function chart(box, { lines, at, x: xTitle, y: yTitle, log, zero }) {
  const usable = v => v !== null && Math.abs(v) < 1e300 && (!log || v > 0);
  const values = lines.flatMap(l => l.points.map(p => p[1])).filter(usable), xs = [...new Set(lines.flatMap(l => l.points.map(p => p[0])))];
  if (!values.length) return box.replaceChildren('Not measured.');
  const extreme = (choice, all) => all.reduce((a, b) => choice(a, b)), x0 = extreme(Math.min, xs), x1 = Math.max(x0 + 1, extreme(Math.max, xs));
  const ticks = axis(zero ? 0 : extreme(Math.min, values), extreme(Math.max, values), log), height = 240, top = 24, bottom = 40;
  const width = Math.max(280, box.clientWidth), left = 14 + 7 * Math.max(...ticks.map(t => t.label.length));
  const right = 62 + 7 * Math.max(...lines.map(l => l.name.length)), place = v => log ? Math.log10(v) : v, low = place(ticks[0].v), high = place(ticks.at(-1).v);
  const X = x => left + (x - x0) / (x1 - x0) * (width - left - right), Y = v => top + (high - place(v)) / (high - low) * (height - top - bottom);
  const valueAt = (l, at) => l.points.find(p => p[0] === at)?.[1] ?? null;

  function draw(at) {
    const told = lines.map(l => `${l.name} ${valueAt(l, at) === null ? '–' : short(valueAt(l, at))}`);
    const picture = svg('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': `${yTitle}, by ${xTitle}. At ${at}: ${told.join(', ')}` });
    const text = (x, y, anchor, words, parent = picture) => parent.append(svg('text', { x, y, 'text-anchor': anchor }, words));
    const line = (name, a, b, c, d) => picture.append(svg('line', { class: name, x1: a, x2: b, y1: c, y2: d }));
    for (const t of ticks) {
      line('grid', left, width - right, Y(t.v), Y(t.v));
      text(left - 6, Y(t.v) + 4, 'end', t.label);
    }
    const whole = axis(x0, x1).filter(t => Number.isInteger(t.v) && t.v >= x0), room = 8 * String(x1).length / (width - left - right) * (x1 - x0);
    for (const t of [...whole.filter(t => t.v <= x1 - room), { v: x1, label: decimals(x1, 0) }]) text(X(t.v), height - bottom + 16, 'middle', t.label);
    text(left, 12, 'start', yTitle);
    text((left + width - right) / 2, height - 6, 'middle', xTitle);
    line('marker', X(at), X(at), top, height - bottom);
    const names = lines.map((l, n) => {
      let pen = 'M';
      const path = l.points.map(([x, v]) => {
        const to = usable(v) ? `${pen}${X(x).toFixed(1)},${Y(v).toFixed(1)}` + (pen === 'M' ? 'h0' : '') : '';
        pen = to ? 'L' : 'M';
        return to;
      });
      const g = svg('g'), v = valueAt(l, at), end = l.points.findLast(p => usable(p[1]));
      g.style.color = l.colour;
      g.append(svg('path', { d: path.join('') }), ...usable(v) ? [svg('circle', { cx: X(at), cy: Y(v), r: 4 })] : []);
      picture.append(g);
      return { g, words: told[n], y: end ? Y(end[1]) : top };
    }).sort((a, b) => a.y - b.y);
    // Names stand at the lines' ends, and not in each other's way.
    const apart = Math.min(15, (height - top) / names.length);
    names.forEach((n, i) => { n.y = Math.max(n.y, i ? names[i - 1].y + apart : 0); });
    names.reduceRight((below, n) => n.y = Math.min(n.y, below - apart), height - bottom + apart + 4);
    for (const n of names) text(width - right + 8, n.y + 4, 'start', n.words, n.g);
    box.replaceChildren(picture);
  }
  draw(at);
  box.onpointermove = e => {
    const r = box.firstChild.getBoundingClientRect(), x = x0 + ((e.clientX - r.left) / r.width * width - left) / (width - left - right) * (x1 - x0);
    draw(xs.reduce((a, b) => Math.abs(b - x) < Math.abs(a - x) ? b : a));
  };
  box.onpointerleave = () => draw(at);
}
