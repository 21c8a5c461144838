// The page of a model that was trained on a table. It computes what cmd/table does: the numbers of
// a row's cells, what they become for the networks, and Model.Predict.

// ---- The data ----
const data = JSON.parse($('data').textContent), nets = data.Networks.map(network), temperature = data.Temperature || 1;
const { Columns: columns, Targets: targets, Task: task } = data, outputs = [...nets[0].at(-1).b.keys()];
const [classes, labels, numbers] = [0, 1, 2].map(t => t === task), lost = row => row.map(v => v ?? NaN);
const names = classes ? targets[0].Values : targets.map(t => t.Name + (labels ? ': ' + t.Values[1] : ''));
const fields = []; // the columns of the file: each is one of the model's, and a date is some
columns.forEach((c, i) => {
  if (fields.at(-1)?.c.File !== c.File) fields.push({ c, of: [] });
  fields.at(-1).of.push(i);
});

// ---- The cells of a row ----
const hours = t => (t / 3600 % 24 + 24) % 24, dateParts = {
  '': hours, hour: hours, days: t => Math.floor(t / 86400), year: t => new Date(1000 * t).getUTCFullYear(),
  month: t => new Date(1000 * t).getUTCMonth() + 1, 'day of the week': t => (new Date(1000 * t).getUTCDay() + 6) % 7,
};
const digits = /^[+-]?(\d+([.,]\d+)?|[.,]\d+)(e[+-]?\d+)?$/i, iso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$/;

// quantity returns the number in a text, or the seconds from 1970 to a date. NaN is one that only
// cmd/table reads: with thousands separators, with a sign of a currency, or in another order.
function quantity(c, text) {
  if (c.Kind) {
    const day = c.Kind === 'time' ? '1970-01-01T' + text.padStart(5, '0') : text.replace(' ', 'T');
    const t = new Date(day + (day.length > 10 ? 'Z' : ''));
    return iso.test(day) && !isNaN(t) && t.toISOString().startsWith(day) ? t / 1000 : NaN;
  }
  const bare = c.Unit && text.endsWith(c.Unit) ? text.slice(0, -c.Unit.length).trim() : text;
  const unclear = (c.Comma ? /\.\d{3}$/ : /,\d{3}$/).test(bare) || c.Unit === '%' && bare === text;
  return digits.test(bare) && !unclear ? Number(bare.replace(',', '.')) : NaN;
}

// cell returns the raw numbers of a field's text, as cmd/table reads it, what is to be said of it,
// and whether it is refused.
function cell({ c, of }, given) {
  const text = String(given ?? '').trim(), refuse = says => ({ raw: of.map(() => NaN), says, wrong: true });
  const gap = /^(na|n\/a|#n\/a|nan|null|\?|)$/i.test(text) || !c.Values && /^(none|-)$/i.test(text);
  const sorted = c.Other ? c.Values.slice(0, -1) : c.Values, place = sorted?.indexOf(gap ? '' : text);
  if (gap && !(place >= 0)) return data.Fill ? { raw: of.map(() => NaN), says: '' } : refuse('is missing, and -missing refuse was set');
  if (c.Values) return { raw: [place >= 0 ? place : c.Other ? sorted.length : NaN], says: place >= 0 || c.Other ? '' : 'is new, and taken as none' };
  const v = quantity(c, text), raw = of.map(i => c.Kind ? dateParts[columns[i].Part](v) : v);
  if (!isFinite(v)) return refuse(c.Kind ? 'is no date or time like 2024-12-31 10:30 or 10:30' : 'is no number as this page reads it');
  const outside = of.some((i, n) => columns[i].Edges && (raw[n] < columns[i].Edges[0] || raw[n] > columns[i].Edges.at(-1)));
  return { raw, says: outside ? 'is outside the range of training' : '' };
}

// write returns the text of a field's raw numbers.
function write({ c, of }, [v, ...rest]) {
  const parts = [v, ...rest], hour = parts[of.findIndex(i => ['hour', ''].includes(columns[i].Part))];
  if (c.Values || isNaN(v)) return c.Values?.[v] ?? '';
  if (!c.Kind) return String(v).replace('.', c.Comma ? ',' : '.') + (c.Unit === '%' ? ' %' : '');
  const text = new Date(1000 * (86400 * (c.Part === 'days' ? v : 0) + Math.round(3600 * (hour ?? 0)))).toISOString();
  return c.Kind === 'time' ? text.slice(11, 19) : text.slice(0, hour === undefined ? 10 : 19).replace('T', ' ');
}

// ---- The model ----
function encode(raw) {
  return columns.flatMap(({ Values, Edges: e, Gaps, Mean, Std }, i) => {
    const v = raw[i], gap = Gaps ? Mean.length - 1 : -1, bin = k => clamp(0, 1, (v - e[k - 1]) / (e[k] - e[k - 1]));
    const input = k => k === gap ? isNaN(v) : Values ? v === k : k ? bin(k) : v;
    return Mean.map((mean, k) => k !== gap && isNaN(v) ? 0 : (input(k) - mean) / (Std[k] || 1));
  });
}
const sigmoid = z => 1 / (1 + Math.exp(-z)), log = p => Math.log(Math.max(p, 2 ** -1022));

// answer returns the probabilities of the classes or of each label's second value, or the numbers.
function answer(raw) {
  const x = encode(raw), all = nets.map(net => forward(net, x).a.at(-1));
  const mean = f => (of => outputs.map(k => average(of.map(y => y[k]))))(all.map(f));
  if (numbers) return mean(y => y).map((v, k) => v * targets[k].Std[0] + targets[k].Mean[0]);
  if (classes) return softmax(mean(softmax).map(p => log(p) / temperature));
  const no = mean(y => y.map(z => sigmoid(-z)));
  return mean(y => y.map(sigmoid)).map((p, k) => sigmoid((log(p) - log(no[k])) / temperature));
}

// toward has attributes share out what output k rises by: a number, or the logarithm of p/(1 − p)
// for the mean p of the networks' probabilities. A secant is a function's slope between two points.
const secant = (f, slope) => (a, b) =>
  Math.abs(b - a) > 1e-6 * Math.abs(a + b) ? (f(b) - f(a)) / (b - a) : slope((a + b) / 2);
const ln = secant(log, v => 1 / v), exp = secant(Math.exp, Math.exp), sigma = secant(sigmoid, z => sigmoid(z) * sigmoid(-z));
const toward = k => (...ends) => {
  if (numbers) return nets.map(() => outputs.map(j => (j === k) * targets[k].Std[0] / nets.length));
  const rest = ends.map(all => all.map(y => sum(y.map((z, j) => j === k ? 0 : Math.exp(z)))));
  const u = ends.map((all, e) => all.map((y, i) => labels ? y[k] : y[k] - log(rest[e][i])));
  const [yes, no] = [1, -1].map(s => ln(...u.map(all => sum(all.map(z => sigmoid(s * z))))));
  return nets.map((_, i) => {
    const slope = (yes + no) * sigma(u[0][i], u[1][i]), [y0, y1] = ends.map(all => all[i]);
    const others = labels ? 0 : -slope * ln(rest[0][i], rest[1][i]);
    return outputs.map(j => j === k ? slope : others && others * exp(y0[j], y1[j]));
  });
};
// attribution returns what each field contributed to output k, compared with the median row.
function attribution(raw, k) {
  const { inputs } = attributes(nets, encode(lost(data.Start)), encode(raw), toward(k));
  let at = 0;
  return fields.map(f => sum(f.of.map(i => sum(inputs.slice(at, at += columns[i].Mean.length)))));
}

// ---- Ask it ----
const exact = v => Math.abs(v) >= 1e-3 && Math.abs(v) < 1e15 ? v.toLocaleString('en', { maximumSignificantDigits: 6 }) : short(v);
const cells = fields.map(f => { // a field that is not shown has only a value
  if (!f.of.some(i => data.Shown.includes(i))) return {};
  const values = f.c.Values && [...new Set(['', ...f.c.Values])].map(value => make('option', { value }, value || 'missing'));
  const e = values ? make('select', {}, ...values) : make('input', { autocomplete: 'off' });
  $('fields').append(make('label', {}, f.c.File + (f.c.Unit ? `, ${f.c.Unit}` : ''), e, make('small')));
  return e;
});
const bars = outputs.slice(0, 12).map(() => {
  const parts = [make('b'), make('span', { className: 'track' }, make('i')), make('span', { className: 'value' })];
  const b = make('button', { type: 'button', onclick: () => { chosen = b.k; explain(); say($('why').textContent); } }, ...parts);
  $('bars').append(make('li', {}, b));
  return b;
});
let now, chosen, later; // the row, the output that is explained, and when that will be

function update() {
  const read = fields.map((f, i) => cell(f, cells[i].value)), raw = read.flatMap(c => c.raw), y = answer(raw), first = largest(y);
  now = { read, raw, y, first };
  read.forEach(({ says }, i) => {
    const note = cells[i].nextSibling, { c } = fields[i], ends = c.Edges && [c.Edges[0], c.Edges.at(-1)];
    if (note) Object.assign(note, { textContent: says || (ends ? ends.map(v => write(fields[i], [v])).join(' to ') : ''), className: says && 'warning' });
  });
  const order = classes && y.length > bars.length ? outputs.toSorted((a, b) => y[b] - y[a]) : outputs;
  const text = k => numbers ? exact(y[k]) + (data.Margins ? ` ± ${exact(data.Margins[k])}` : '') : percent(y[k]);
  bars.forEach((b, n) => {
    const k = b.k = order[n], share = numbers ? 0.5 + (y[k] - targets[k].Mean[0]) / targets[k].Std[0] / 6 : y[k];
    [b.firstChild.textContent, b.lastChild.textContent] = [names[k], text(k)];
    b.querySelector('i').style.width = 100 * clamp(0, 1, share) + '%';
    b.parentNode.classList.toggle('first', classes ? k === first : labels && y[k] > 0.5);
  });
  const yes = outputs.filter(k => y[k] > 0.5).map(k => names[k]).join(', ');
  $('verdict').textContent = classes ? `${names[first]} ${text(first)}` : labels ? yes || 'none' : text(0);
  clearTimeout(later);
  later = setTimeout(explain, 100); // when no key is pressed
}

function fill(texts) {
  texts.forEach((text, i) => { cells[i].value = text; });
  chosen = undefined;
  update();
  explain();
  say($('verdict').textContent);
}
const load = row => fill(fields.map(f => write(f, f.of.map(i => row[i] ?? NaN))));

// explain shows what contributed to the answer, and what would change it.
function explain() {
  clearTimeout(later);
  const k = chosen ?? (classes ? now.first : 0), all = attribution(now.raw, k), change = smallest(), total = sum(all);
  const best = strongest(all.map((value, i) => ({ value, name: fields[i].c.File })), 12), rest = total - sum(best.map(b => b.value));
  choose(bars, bars.find(b => b.k === k));
  $('why').textContent = `What each column adds to ${numbers ? '' : 'the logit of '}${names[k]}: ${short(total)} in all.`;
  $('parts').replaceChildren(balances(all.length > 12 ? [...best, { name: `${all.length - 12} others`, value: rest }] : best));
  $('change').textContent = !change ? 'No change of one column changes the answer.' : `${fields[change.i].c.File}: ${change.text || 'missing'} in place of `
    + `${cells[change.i].value || 'missing'} would ${numbers ? 'move a number by more than its usual error' : 'change the answer'}.`;
  $('try').hidden = !change;
  $('try').onclick = () => fill(cells.map((e, i) => i === change.i ? change.text : e.value));
  showEffects(k);
}

// place says where a number stands among those of training, from 0 to 1, and at is its inverse.
const place = (e, v) => isNaN(v) ? 0.5 : average(e.slice(1).map((b, k) => clamp(0, 1, (v - e[k]) / (b - e[k]))));
function at(e, q) {
  const k = Math.min(Math.floor(q * (e.length - 1)), e.length - 2), v = e[k] + (q * (e.length - 1) - k) * (e[k + 1] - e[k]);
  return [2, 3, 4, 5].map(d => Number(v.toPrecision(d))).find(r => Math.abs(place(e, r) - q) < 0.004) ?? v;
}

// smallest returns the change of one shown column that changes the answer and passes by the fewest
// training rows: those between two numbers, or those that have not the new category.
function smallest() {
  let best = { far: Infinity };
  const differs = (i, text) => {
    const y = answer(now.read.flatMap((c, j) => j === i ? cell(fields[i], text).raw : c.raw));
    return classes ? largest(y) !== now.first : y.some((v, k) =>
      numbers ? Math.abs(v - now.y[k]) > data.Usual[k] : v > 0.5 !== now.y[k] > 0.5);
  };
  fields.forEach((f, i) => {
    const { Values, Mean, Edges, Kind } = f.c, [v, ...rest] = now.read[i].raw, from = Edges && place(Edges, v);
    if (!cells[i].isConnected || !Values && !Edges) return;
    const to = q => ({ q, far: Math.abs(q - from), text: write(f, [Kind ? Math.round(at(Edges, q)) : at(Edges, q), ...rest]) });
    const tries = Values ? Values.map((text, k) => ({ text, far: 1 - Mean[k] })).filter((_, k) => k !== v) : [...Array(41).keys()].map(s => to(s / 40));
    let hit = tries.filter(t => t.far < best.far).sort((a, b) => a.far - b.far).find(t => differs(i, t.text));
    for (let n = 0, near = from; hit && Edges && n < 7; n++) {
      const half = to((near + hit.q) / 2);
      differs(i, half.text) ? hit = half : near = half.q;
    }
    if (hit) best = { i, ...hit };
  });
  return best.text === undefined ? null : best;
}

// ---- What it gets wrong, and what matters ----
// plot draws lines, each a class and points [x, y], and dots and a rug into a box.
function plot(box, title, { x, y, labels, lines = [], dots = [], rug = [], square }) {
  const usable = p => p.every(v => v !== null && Math.abs(v) < 1e300), all = [...lines.flatMap(l => l.slice(1)), ...dots].filter(usable);
  const ticks = (n, ends) => axis(...ends ?? [Math.min, Math.max].map(f => all.reduce((a, p) => f(a, p[n]), all[0][n])));
  if (!all.length) return box.replaceChildren('Not measured.');
  const up = ticks(1, y), along = labels?.map((label, v) => ({ v, label })) ?? ticks(0, x);
  const wide = of => 7 * Math.max(...of.map(t => t.label.length)), left = 14 + wide(up), width = clamp(240, square ? 420 : 1e4, box.clientWidth);
  const room = width - left - 24, height = square ? room : 170, every = Math.ceil(along.length * (wide(along) + 10) / room);
  const [a, b, c, d] = [labels ? -0.5 : along[0].v, labels ? labels.length - 0.5 : along.at(-1).v, up[0].v, up.at(-1).v];
  const X = v => (left + (v - a) / (b - a) * room).toFixed(1), Y = v => (10 + (d - v) / (d - c) * height).toFixed(1);
  const picture = svg('svg', { viewBox: `0 0 ${width} ${height + 38}`, height: height + 38, role: 'img', 'aria-label': title });
  const add = (name, attributes, text) => picture.append(svg(name, attributes, text));
  for (const t of up) {
    add('line', { class: 'grid', x1: left, x2: left + room, y1: Y(t.v), y2: Y(t.v) });
    add('text', { x: left - 6, y: Number(Y(t.v)) + 4, 'text-anchor': 'end' }, t.label);
  }
  along.forEach((t, i) => { if (i % every === 0) add('text', { x: X(t.v), y: height + 28, 'text-anchor': 'middle' }, t.label); });
  for (const [name, ...points] of lines) add('path', { class: name, d: points.filter(usable).map(([x, y], i) => `${i ? 'L' : 'M'}${X(x)},${Y(y)}`).join('') });
  add('path', { class: 'dots', d: dots.filter(usable).map(([x, y]) => `M${X(x)},${Y(y)}h0`).join('') });
  add('path', { class: 'rug', d: rug.filter(v => v >= a && v <= b).map(v => `M${X(v)},${height + 10}v-6`).join('') });
  box.replaceChildren(picture);
}
function figure(parent, title) {
  const box = make('div');
  $(parent).append(make('figure', { className: 'card' }, make('figcaption', {}, title), box));
  return box;
}
const effects = data.Effects.map(e => ({ ...e, c: columns[e.Column], box: figure('effects', columns[e.Column].Name) }));
function showEffects(k) {
  for (const { c, box, Column, Grid, Rug, Mean, Single } of effects) {
    const v = now.raw[Column], place = v => c.Values ? Grid.indexOf(v) : v, line = (name, of = []) => [name, ...of.map((y, i) => [place(Grid[i]), y])];
    const mine = Grid.map(v => answer(now.raw.map((r, i) => i === Column ? v : r))[k]), labels = c.Values && Grid.map(i => (c.Values[i] || 'missing').slice(0, 9));
    plot(box, `${names[k]}, by ${c.Name}`, { labels, rug: c.Values ? [] : Rug, dots: place(v) >= 0 || !c.Values ? [[place(v), now.y[k]]] : [],
      lines: [...(Single[k] ?? []).map(s => line('single', s)), line('mean', Mean[k]), line('mine', mine)] });
  }
}
const bins = (data.Bins ?? []).filter(b => b.N).map(b => [b.Mean, b.Right]), pairs = data.Points ?? [];
const sure = bins.length && figure('charts', 'Calibration: how often it is right, by the probability that it gives');
const scatters = pairs.map((_, k) => [figure('charts', `${names[k]}: predicted, by true`), figure('charts', `${names[k]}: predicted − true, by predicted`)]);
function showCharts() {
  const diagonal = ends => ['single', ...ends.map(v => [v, v])], line = (name, key, colour) => ({ name, colour: `rgb(var(--${colour}))`,
    points: data.History.map((h, i) => [i + 1, h[key]]).filter(p => p[1] !== null) });
  if (sure) plot(sure, 'Calibration', { square: true, x: [0, 1], y: [0, 1], lines: [diagonal([0, 1]), ['mine', ...bins]], dots: bins });
  pairs.forEach(({ True, Predicted }, k) => {
    const ends = [Math.min, Math.max].map(f => [...True, ...Predicted].reduce((a, b) => f(a, b))), of = f => True.map((t, i) => f(t, Predicted[i]));
    plot(scatters[k][0], 'Predicted, by true', { square: true, x: ends, y: ends, lines: [diagonal(ends)], dots: of((t, p) => [t, p]) });
    plot(scatters[k][1], 'Residuals', { square: true, x: ends, lines: [['single', ...ends.map(v => [v, 0])]], dots: of((t, p) => [p, p - t]) });
  });
  chart($('loss-chart'), { x: 'epoch', y: 'loss', at: data.History.length, lines: [line('training', 'Loss', 'muted'), line('held out', 'ValidationLoss', 'positive')] });
  showEffects(chosen ?? (classes ? now.first : 0));
}
for (const tr of document.querySelectorAll('.counts tr')) {
  const counts = [...tr.querySelectorAll('[data-count]')], all = sum(counts.map(e => Number(e.dataset.count)));
  counts.forEach(e => e.style.setProperty('--share', Math.sqrt(e.dataset.count / Math.max(1, all))));
}
const rises = data.Importance.slice(0, 20).map(i => i.Rise), top = size(rises.map(r => r[0]));
const ranked = balances(rises.map(([value], n) => ({ value, name: columns[data.Importance[n].Column].Name })));
rises.forEach(([rise, spread], n) => { // a line is as long as two deviations
  const line = make('u'), li = ranked.children[n];
  Object.assign(line.style, { left: 50 + 50 * (rise - spread) / top + '%', width: 100 * spread / top + '%' });
  li.children[1].append(line);
  li.lastChild.append(` ± ${short(spread)}`);
});
$('importance').append(ranked);

// ---- The beginning ----
walk(bars);
$('fields').oninput = update;
$('fields').onchange = () => say($('verdict').textContent);
$('fields').onsubmit = e => e.preventDefault();
$('median').onclick = () => load(data.Start);
document.querySelectorAll('[data-worst]').forEach((b, i) => { b.onclick = () => { load(data.Worst[i].Cells); $('row').scrollIntoView(); }; });
load(data.Start);
showCharts();
window.onresize = showCharts;

// row returns what cmd/table -model writes behind a row of a file.
function row(given) {
  const all = new Map(), read = fields.map(f => {
    const c = Object.hasOwn(given, f.c.File) ? cell(f, given[f.c.File]) : { says: 'is not there', wrong: true };
    if (c.wrong) throw new Error(`${f.c.File} ${c.says}`);
    return c;
  });
  const y = answer(read.flatMap(c => c.raw)), add = (name, value) => {
    while (Object.hasOwn(given, name) || all.has(name)) name = 'predicted ' + name;
    all.set(name, value);
    return name;
  };
  targets.forEach((t, k) => {
    const name = add(t.Name, numbers ? y[k] : t.Values[classes ? largest(y) : Number(y[k] > 0.5)]);
    if (data.Margins) [[' from', -1], [' to', 1]].forEach(([end, sign]) => add(name + end, y[k] + sign * data.Margins[k]));
    t.Values?.forEach((v, i) => add(`${t.Name}=${v}`, classes ? y[i] : i ? y[k] : 1 - y[k]));
  });
  return Object.fromEntries(all);
}
window.mlp = Object.freeze({ row, attribution: (given, k) => attribution(fields.flatMap(f => cell(f, given[f.c.File]).raw), k) });
