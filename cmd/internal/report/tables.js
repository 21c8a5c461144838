// The page of a model that was trained on a table. It computes what cmd/table does with a row's cells.
const data = JSON.parse($('data').textContent), nets = data.Networks.map(network), temperature = data.Temperature || 1;
const { Columns: columns, Targets: targets, Task: task } = data, outputs = [...nets[0].at(-1).b.keys()];
const [classes, labels, numbers] = [0, 1, 2].map(t => t === task);
const names = classes ? targets[0].Values : targets.map(t => t.Name + (labels ? ': ' + t.Values[1] : ''));
const fields = []; // the columns of the file: each is one of the model's, and a date is some
columns.forEach((c, i) => {
  if (fields.at(-1)?.c.File === c.File) fields.at(-1).of.push(i);
  else fields.push({ c, of: [i] });
});

// ---- The cells of a row ----
const hours = t => (t / 3600 % 24 + 24) % 24, dateParts = {
  '': hours, hour: hours, days: t => Math.floor(t / 86400), year: t => new Date(1000 * t).getUTCFullYear(),
  month: t => new Date(1000 * t).getUTCMonth() + 1, 'day of the week': t => (new Date(1000 * t).getUTCDay() + 6) % 7,
};
const digits = /^[+-]?(\d+([.,]\d+)?|[.,]\d+)(e[+-]?\d+)?$/i, iso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$/;

// quantity returns the number in a text, or the seconds from 1970 to a date. NaN is one that only cmd/table reads:
// with thousands separators, with a sign of a currency, or in another order.
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

// cell returns the raw numbers of a field's text, as cmd/table reads it, what to say of it, and whether it is wrong.
function cell({ c, of }, given) {
  const text = String(given ?? '').trim(), lost = (says, wrong) => ({ raw: of.map(() => NaN), says, wrong });
  const gap = /^(na|n\/a|#n\/a|nan|null|\?|)$/i.test(text) || !c.Values && /^(none|-)$/i.test(text);
  const sorted = c.Other ? c.Values.slice(0, -1) : c.Values, place = sorted?.indexOf(gap ? '' : text) ?? -1;
  if (place >= 0) return { raw: [place] };
  if (gap) return data.Fill ? lost() : lost('is missing, and -missing refuse was set', true);
  if (c.Values) return c.Other ? { raw: [sorted.length] } : lost('is new, and taken as none');
  const v = quantity(c, text), raw = of.map(i => c.Kind ? dateParts[columns[i].Part](v) : v);
  if (!isFinite(v)) return lost(`is no ${c.Kind ? 'date like 2024-12-31 10:30' : 'number'} that this page reads`, true);
  const outside = ({ Edges: e }, v) => e && (v < e[0] || v > e.at(-1));
  return { raw, says: of.some((i, n) => outside(columns[i], raw[n])) ? 'is outside the range of training' : '' };
}

// write returns the text of a field's raw numbers.
function write({ c, of }, raw) {
  const v = raw[0], hour = raw[of.findIndex(i => ['hour', ''].includes(columns[i].Part))];
  if (c.Values || isNaN(v)) return c.Values?.[v] ?? '';
  if (!c.Kind) return String(v).replace('.', c.Comma ? ',' : '.') + (c.Unit === '%' ? ' %' : '');
  const t = new Date(1000 * (86400 * (c.Part === 'days' ? v : 0) + Math.round(3600 * (hour ?? 0)))).toISOString();
  return c.Kind === 'time' ? t.slice(11, 19) : t.slice(0, hour === undefined ? 10 : 19).replace('T', ' ');
}
const texts = row => fields.map(f => write(f, f.of.map(i => row[i] ?? NaN)));

// ---- The model ----
function encode(raw) {
  return columns.flatMap(({ Values, Edges: e, Gaps, Mean, Std }, i) => {
    const v = raw[i], gap = Gaps ? Mean.length - 1 : -1, bin = k => clamp(0, 1, (v - e[k - 1]) / (e[k] - e[k - 1]));
    const input = k => k === gap ? isNaN(v) : Values ? v === k : k ? bin(k) : v;
    return Mean.map((mean, k) => k !== gap && isNaN(v) ? 0 : (input(k) - mean) / (Std[k] || 1));
  });
}
const [sigmoid] = activations.sigmoid, log = p => Math.log(Math.max(p, 2 ** -1022));

// answer returns the probabilities of the classes or of each label's second value, or the numbers.
function answer(raw) {
  const x = encode(raw), all = nets.map(net => forward(net, x).a.at(-1));
  const mean = f => (of => outputs.map(k => average(of.map(y => y[k]))))(all.map(f));
  if (numbers) return mean(y => y).map((v, k) => v * targets[k].Std[0] + targets[k].Mean[0]);
  if (classes) return softmax(mean(softmax).map(p => log(p) / temperature));
  const no = mean(y => y.map(z => sigmoid(-z)));
  return mean(y => y.map(sigmoid)).map((p, k) => sigmoid((log(p) - log(no[k])) / temperature));
}

// attribution returns what each field contributed to output k, compared with the median row: to the number, to the
// label's logit, or to the class's less the mean of the others'; the mean over the networks.
const start = texts(data.Start).flatMap((text, i) => cell(fields[i], text).raw);
function attribution(raw, k) {
  const weight = numbers ? targets[k].Std[0] : 1, rival = classes ? -1 / (outputs.length - 1) : 0, from = encode(start);
  const all = nets.map(net => attribute(net, from, encode(raw), outputs.map(j => j === k ? weight : rival))[0]);
  const one = vector(from.length, i => average(all.map(of => of[i])));
  let at = 0; // the next input
  return fields.map(f => sum(f.of.map(i => sum(one.slice(at, at += columns[i].Mean.length)))));
}

// ---- Ask it ----
let now, chosen, later; // the row, the output that is explained, and when that will be
const cells = fields.map(f => { // a field that is not shown has only a value
  if (!f.of.some(i => data.Shown.includes(i))) return {};
  const { Values, File, Unit } = f.c, e = make(Values ? 'select' : 'input', { autocomplete: 'off' });
  if (Values) e.append(...Array.from(new Set(['', ...Values]), value => make('option', { value }, value || 'missing')));
  $('fields').append(make('label', {}, File + (Unit && `, ${Unit}`), e, make('small')));
  return e;
});
let order = outputs; // that of the bars
const bars = barButtons(Math.min(12, outputs.length), n => {
  chosen = order[n];
  explain();
});

function update() {
  const read = fields.map((f, i) => cell(f, cells[i].value)), raw = read.flatMap(c => c.raw), y = answer(raw);
  now = { read, raw, y, first: largest(y) };
  cells.forEach((e, i) => {
    const { says } = read[i], { Edges } = fields[i].c, ends = Edges ? [Edges[0], Edges.at(-1)] : [];
    const textContent = says || ends.map(v => write(fields[i], [v])).join(' to '), className = says ? 'warning' : '';
    if (e.isConnected) Object.assign(e.nextSibling, { textContent, className });
  });
  if (classes && y.length > bars.length) order = outputs.toSorted((a, b) => y[b] - y[a]);
  const off = k => data.Margins ? ` ± ${short(data.Margins[k])}` : '';
  const text = k => numbers ? Number(y[k].toPrecision(6)).toLocaleString('en') + off(k) : percent(y[k]);
  bars.forEach((b, n) => {
    const k = order[n], share = numbers ? 0.5 + (y[k] - targets[k].Mean[0]) / targets[k].Std[0] / 6 : y[k];
    fill(b, names[k], clamp(0, 1, share), text(k), classes ? k === now.first : labels && y[k] > 0.5);
  });
  const yes = outputs.filter(k => y[k] > 0.5).map(k => names[k]).join(', ') || 'none';
  $('verdict').textContent = classes ? `${names[now.first]} ${text(now.first)}` : labels ? yes : text(0);
  clearTimeout(later);
  later = setTimeout(explain, 100); // when no key is pressed
}

// load asks for a row of texts.
function load(row) {
  row.forEach((text, i) => { cells[i].value = text; });
  chosen = undefined;
  update();
  explain();
  say($('verdict').textContent);
}

// explain shows what contributed to the answer, and what would change it.
function explain() {
  clearTimeout(later);
  const k = chosen ?? (classes ? now.first : 0), all = attribution(now.raw, k), change = smallest(), total = sum(all);
  const best = strongest(all.map((value, i) => ({ value, name: fields[i].c.File })), 12);
  if (all.length > 12) best.push({ name: `${all.length - 12} others`, value: total - sum(best.map(b => b.value)) });
  choose(bars, bars[order.indexOf(k)]);
  const differs = best.some(b => b.value), what = `${numbers ? '' : 'the logit of '}${names[k]}`;
  $('why').textContent = differs ? `What columns add to ${what}: ${short(total)} in all.`
    : `No column adds to ${what}: change one, and see what it adds.`;
  $('parts').replaceChildren(differs ? balances(best) : '');
  const does = numbers ? 'moves a number by more than its usual error' : 'changes the answer';
  const from = change && cells[change.i].value || 'missing', to = change?.text || 'missing';
  const one = looked.size < fields.length ? `of the ${looked.size} columns that matter most` : 'column';
  const which = change ? `${fields[change.i].c.File}, ${to} in place of ${from},` : `No change of one ${one}`;
  $('change').textContent = `${which} ${does}.`;
  $('try').hidden = !change;
  $('try').onclick = () => load(cells.map((e, i) => i === change.i ? change.text : e.value));
  showEffects(k);
}

// place says where a number stands among those of training, from 0 to 1, and at is its inverse.
const place = (e, v) => isNaN(v) ? 0.5 : average(e.slice(1).map((b, k) => clamp(0, 1, (v - e[k]) / (b - e[k]))));
function at(e, q) {
  const to = q * (e.length - 1), k = Math.min(Math.floor(to), e.length - 2), v = e[k] + (to - k) * (e[k + 1] - e[k]);
  return [2, 3, 4, 5].map(d => Number(v.toPrecision(d))).find(r => Math.abs(place(e, r) - q) < 0.004) ?? v;
}

// smallest returns the change of one of the columns that matter most, as many as take a moment, that changes the
// answer and passes by the fewest training rows: those between two numbers, or those that have not the new category.
const weights = sum(nets.flat().map(l => l.w.length)), some = data.Importance.slice(0, Math.ceil(5e6 / weights));
const looked = new Set(some.map(i => columns[i.Column].File));
function smallest() {
  let best = { far: Infinity };
  const other = (v, k) => numbers ? Math.abs(v - now.y[k]) > data.Usual[k] : v > 0.5 !== now.y[k] > 0.5;
  const differs = (i, text) => {
    const y = answer(now.read.flatMap((c, j) => j === i ? cell(fields[i], text).raw : c.raw));
    return classes ? largest(y) !== now.first : y.some(other);
  };
  fields.forEach((f, i) => {
    const { Values, Mean, Edges: e, Kind } = f.c, [v, ...rest] = now.read[i].raw, from = e && place(e, v);
    if (!looked.has(f.c.File) || !Values && !e) return;
    const to = q => ({ q, far: Math.abs(q - from), text: write(f, [Kind ? Math.round(at(e, q)) : at(e, q), ...rest]) });
    const tries = Values ? Values.map((text, k) => ({ text, far: k === v ? Infinity : 1 - Mean[k] }))
      : Array.from({ length: 41 }, (_, s) => to(s / 40));
    let hit = tries.filter(t => t.far < best.far).sort((a, b) => a.far - b.far).find(t => differs(i, t.text));
    for (let n = 0, near = from; hit && e && n < 7; n++) {
      const half = to((near + hit.q) / 2);
      if (differs(i, half.text)) hit = half;
      else near = half.q;
    }
    if (hit) best = { i, ...hit };
  });
  return 'i' in best ? best : null;
}

// ---- What it gets wrong, and what matters ----
// plot draws lines, each a class and points [x, y], and dots and a rug into a box.
function plot(box, title, { ends: [x, y] = [], words, lines, dots, rug = [], height = 170 }) {
  const all = [...lines.flatMap(l => l.slice(1)), ...dots].filter(p => p.every(v => usable(v)));
  if (!all.length) return box.replaceChildren('Not measured.');
  const ticks = (n, ends) => axis(...ends ?? range(all.map(p => p[n]))), aside = words ? 0.5 : 0;
  const along = words?.map((label, v) => ({ v, label })) ?? ticks(0, x);
  const from = along[0].v - aside, to = along.at(-1).v + aside;
  const { X, add, path } = axes(box, title, ticks(1, y), along, { from, to, height: height + 38 });
  for (const [name, ...of] of lines) add('path', { class: name, d: path(of) });
  add('path', { class: 'dots', d: dots.map(p => path([p])).join('') });
  add('path', { class: 'rug', d: rug.filter(v => v >= from && v <= to).map(v => `M${X(v)},${height + 10}v-6`).join('') });
}
const figure = (parent, title) =>
  $(parent).appendChild(make('figure', { className: 'card' }, make('figcaption', {}, title), make('div'))).lastChild;
const effects = data.Effects.map(e => ({ ...e, c: columns[e.Column], box: figure('effects', columns[e.Column].Name) }));
function showEffects(k) {
  $('of').textContent = names[k];
  for (const { c: { Name, Values }, box, Column, Grid, Rug, Mean, Single } of effects) {
    const x = v => Values ? Grid.indexOf(v) : v, line = (name, of = []) => [name, ...of.map((y, i) => [x(Grid[i]), y])];
    const mine = Grid.map(v => answer(now.raw.map((r, i) => i === Column ? v : r))[k]), here = x(now.raw[Column]);
    const lines = [...(Single[k] ?? []).map(of => line('single', of)), line('mean', Mean[k]), line('mine', mine)];
    const words = Values && Grid.map(i => (Values[i] || 'missing').replace(/^(.{11}).{2,}/su, '$1…')), rug = Values ? [] : Rug;
    plot(box, `${names[k]}, by ${Name}`, { words, lines, rug, dots: here >= 0 || !Values ? [[here, now.y[k]]] : [] });
  }
}
const bins = (data.Bins ?? []).filter(b => b.N).map(b => [b.Mean, b.Right]);
const sure = bins.length && figure('charts', 'Calibration: how often it is right, by the probability that it gives');
const pairs = (data.Points ?? []).map(({ True, Predicted }, k) => ({
  all: True.map((t, i) => [t, Predicted[i]]),
  boxes: ['predicted, by true', 'predicted − true, by predicted'].map(what => figure('charts', `${names[k]}: ${what}`)),
}));
function showCharts() {
  const height = box => Math.max(240, box.clientWidth) - 80, diagonal = ends => ['single', ...ends.map(v => [v, v])];
  const square = (box, title, ends, dots, ...lines) => plot(box, title,
    { ends: [ends, ends], dots, height: height(box), lines: [diagonal(ends), ...lines] });
  if (sure) square(sure, 'Calibration', [0, 1], bins, ['mine', ...bins]);
  for (const { all, boxes: [box, residuals] } of pairs) {
    const ends = range(all.flat()), off = all.map(([t, p]) => [p, p - t]), zero = ['single', ...ends.map(v => [v, 0])];
    square(box, 'Predicted, by true', ends, all);
    plot(residuals, 'Residuals', { ends: [ends], lines: [zero], dots: off, height: height(residuals) });
  }
  // The training loss may be measured only at the epoch that is kept, which is no line.
  const kept = [['training', 'Loss'], ['held out', 'ValidationLoss']]
    .filter(([, key]) => 2 * data.History.filter(h => usable(h[key])).length > data.History.length);
  trends($('loss-chart'), 'loss', data.History.length, data.History, ...kept);
  showEffects(chosen ?? (classes ? now.first : 0));
}
const rises = data.Importance.slice(0, 20).map(({ Column, Rise: [value, off] }) => ({ name: columns[Column].Name, value, off }));
$('importance').append(balances(rises));

// ---- The beginning ----
$('fields').oninput = update;
$('fields').onchange = () => say($('verdict').textContent);
$('fields').onsubmit = e => e.preventDefault();
$('median').onclick = () => load(texts(data.Start));
for (const b of document.querySelectorAll('[data-worst]')) b.onclick = () => {
  load(texts(data.Worst[b.dataset.worst].Cells));
  $('row').scrollIntoView();
};
load(texts(data.Start));
showCharts();
window.onresize = showCharts;

// row returns what cmd/table -model writes behind a row of a file.
function row(given) {
  const all = new Map(), raw = fields.flatMap(f => {
    const c = Object.hasOwn(given, f.c.File) ? cell(f, given[f.c.File]) : { says: 'is not there', wrong: true };
    if (c.wrong) throw new Error(`${f.c.File} ${c.says}`);
    return c.raw;
  });
  const y = answer(raw), add = (name, value) => {
    while (Object.hasOwn(given, name) || all.has(name)) name = 'predicted ' + name;
    all.set(name, value);
    return name;
  };
  targets.forEach((t, k) => {
    const name = add(t.Name, numbers ? y[k] : t.Values[classes ? largest(y) : Number(y[k] > 0.5)]);
    const ends = data.Margins ? [[' from', -1], [' to', 1]] : [];
    for (const [end, by] of ends) add(name + end, y[k] + by * data.Margins[k]);
    t.Values?.forEach((v, i) => add(`${t.Name}=${v}`, classes ? y[i] : i ? y[k] : 1 - y[k]));
  });
  return Object.fromEntries(all);
}
window.mlp = Object.freeze({ row,
  attribution: (given, k) => attribution(fields.flatMap(f => cell(f, given[f.c.File]).raw), k) });
