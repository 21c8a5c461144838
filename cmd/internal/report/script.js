// What moves on the page. It computes what the Go package does: Model.Predict, the
// normalisation by moments, and what cmd/predict does to a picture. Texts from the model
// are never put in as HTML, only as text.
'use strict';
(() => {
  const $ = id => document.getElementById(id);
  const side = 28, pixels = side * side;

  // make returns a new element with properties and children.
  function make(name, properties = {}, ...children) {
    const e = Object.assign(document.createElement(name), properties);
    e.append(...children);
    return e;
  }

  // ---- The data ----
  const data = JSON.parse($('data').textContent);
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

  const activations = { // f(z), and its derivative in terms of a = f(z)
    relu: [z => z > 0 ? z : 0, a => a > 0 ? 1 : 0],
    sigmoid: [z => 1 / (1 + Math.exp(-z)), a => a * (1 - a)],
    tanh: [Math.tanh, a => 1 - a * a],
    linear: [z => z, () => 1],
  };
  const net = data.Layers.map(l => ({
    in: l.In, out: l.Out, name: l.Act, f: activations[l.Act][0], slope: activations[l.Act][1], w: floats(l.W), b: floats(l.B),
  }));
  const scale = floats(data.Scale), shift = floats(data.Shift), most = bytes(data.Most);
  const { Labels: labels, Read: read } = data.Digits, probabilities = floats(data.Digits.P);
  const packed = bytes(data.Digits.Pixels), images = new Uint8Array(labels.length * pixels);
  for (let i = 0, to = 0; i < packed.length; i++) {
    if (packed[i]) images[to++] = packed[i];
    else to += packed[++i]; // a run of zeros
  }
  const sample = [...Array(data.Sample).keys()], ten = [...Array(10).keys()];
  const digit = i => images.subarray(i * pixels, (i + 1) * pixels);
  const once = f => { // computes f(i) when it is first asked for
    const known = [];
    return i => known[i] ??= f(i);
  };

  // ---- The network ----
  // forward returns the input and the output of each layer, the logits last.
  function forward(net, x) {
    const all = [x];
    for (const l of net) {
      const z = l.b.slice();
      for (let i = 0, at = 0; i < l.in; i++, at += l.out) {
        const v = x[i];
        if (v !== 0) for (let j = 0; j < l.out; j++) z[j] += v * l.w[at + j];
      }
      for (let j = 0; j < l.out; j++) z[j] = l.f(z[j]);
      all.push(x = z);
    }
    return all;
  }

  function softmax(y) {
    const top = Math.max(...y), e = Array.from(y, v => Math.exp(v - top)), sum = e.reduce((a, b) => a + b, 0);
    return e.map(v => v / sum);
  }
  const largest = p => p.indexOf(Math.max(...p));
  const average = values => values.reduce((sum, v) => sum + v, 0) / Math.max(1, values.length);
  const clamp = (low, high, v) => Math.max(low, Math.min(high, v));

  // gradient returns the derivative of output k by each input.
  function gradient(net, all, k) {
    let d = new Float64Array(10);
    d[k] = 1;
    for (let n = net.length - 1; n >= 0; n--) {
      const l = net[n], a = all[n + 1], below = new Float64Array(l.in);
      for (let j = 0; j < l.out; j++) d[j] *= l.slope(a[j]);
      for (let i = 0, at = 0; i < l.in; i++, at += l.out) {
        let sum = 0;
        for (let j = 0; j < l.out; j++) sum += d[j] * l.w[at + j];
        below[i] = sum;
      }
      d = below;
    }
    return d;
  }

  // inputs standardizes grey values.
  const inputs = image => Float64Array.from(image, (p, j) => p * scale[j] + shift[j]);
  const inputsOf = once(i => inputs(upright(digit(i)).image)); // of a test digit

  // ---- A picture of a digit ----
  const identity = [1, 0, 0, 1, 0, 0]; // an affine map, as canvases take it

  // upright normalises an image by its moments, as MNIST.Deskew does, if the model asks
  // for it. place is the affine map from its points to the given image's.
  function upright(image) {
    if (!data.Deskew) return { image, place: identity };
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
    return { image: to, place: [gx, 0, s * gy, gy, mx + 0.5 - c * gx - c * s * gy, my + 0.5 - c * gy] };
  }
  function bilinear(image, x, y) {
    const j = Math.floor(x), i = Math.floor(y), fx = x - j, fy = y - i;
    const at = (i, j) => i < 0 || i >= side || j < 0 || j >= side ? 0 : image[i * side + j];
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
    return { image, place: [k, 0, 0, k, x0 - left * k, y0 - top * k] };
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

  // ---- Colours and small pictures ----
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
  const inkPixel = (p, at, v) => mix(p, at, colour.ink, v / 255);
  const signed = top => (p, at, v) => mix(p, at, v > 0 ? colour.positive : colour.negative, Math.abs(v) / top);
  const size = values => values.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-300);

  // paint fills a canvas with a pixel for each value; the rest stays clear.
  function paint(canvas, values, put) {
    const g = canvas.getContext('2d'), image = g.createImageData(canvas.width, canvas.height);
    values.forEach((v, i) => put(image.data, 4 * i, v));
    g.putImageData(image, 0, 0);
  }
  const smallCanvas = (className = '') => make('canvas', { width: side, height: side, className });
  const percent = p => p > 0.9995 && p < 1 ? '> 99.9 %' : p > 0 && p < 0.0005 ? '< 0.1 %' : (100 * p).toFixed(1) + ' %';
  function short(v) {
    if (v === null || Number.isNaN(v)) return 'not a number';
    if (Math.abs(v) === Infinity) return v > 0 ? '∞' : '−∞';
    if (v === 0 || Math.abs(v) >= 1e-3 && Math.abs(v) < 1e5) return String(Number(v.toPrecision(3)));
    const [digits, exponent] = v.toExponential(1).split('e');
    return digits + '·10' + exponent.replace('+', '').replace(/./g, c => '⁰¹²³⁴⁵⁶⁷⁸⁹⁻'['0123456789-'.indexOf(c)]);
  }

  // digitButton is a test digit that a click loads into the drawing.
  function digitButton(i, caption) {
    const canvas = smallCanvas();
    paint(canvas, digit(i), inkPixel);
    return make('button', {
      type: 'button', className: 'digit', title: 'Load into the drawing', ariaLabel: `Load a ${labels[i]} ${caption}`, onclick: () => load(i),
    }, canvas, caption);
  }

  // choose marks one of some buttons as chosen. Tab reaches that one, and the arrow keys
  // walk from there to the others, which stand in so many columns.
  function choose(buttons, chosen) {
    for (const b of buttons) b.ariaPressed = b === chosen, b.tabIndex = b === chosen ? 0 : -1;
  }
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const walk = (buttons, columns) => buttons.forEach((b, i) => b.addEventListener('keydown', e => {
    if (!arrows[e.key]) return;
    buttons[i + arrows[e.key][0] + columns() * arrows[e.key][1]]?.focus();
    e.preventDefault();
  }));

  const titled = (title, child) => make('div', {}, make('h3', {}, title), child);
  const strongest = (items, n) => items.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, n);

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

  // ---- Draw a digit ----
  const sheet = $('draw'), width = sheet.width, pen = 22;
  const ink = sheet.getContext('2d', { willReadFrequently: true }), heat = $('heat').getContext('2d');
  let actions = [];     // a digit {digit} or a stroke {points}; the newest last
  let example = true;   // nobody has drawn yet, and the first stroke replaces the digit
  let now = { image: new Uint8Array(pixels), place: identity, blank: true }; // what became of the drawing
  const cursor = { x: width / 2, y: width / 2, down: null, shown: false };     // the pen of the keyboard

  function drawAction(a) {
    if (a.points) {
      Object.assign(ink, { lineWidth: pen, lineCap: 'round', lineJoin: 'round', strokeStyle: `rgb(${colour.ink})` });
      ink.beginPath();
      ink.moveTo(...a.points[0]);
      a.points.forEach(p => ink.lineTo(...p));
      return ink.stroke();
    }
    const small = smallCanvas();
    paint(small, digit(a.digit), (p, at, v) => p.set([...colour.ink, v], at));
    ink.drawImage(small, 0, 0, width, width);
  }

  function redraw() {
    ink.clearRect(0, 0, width, width);
    actions.slice(Math.max(0, actions.findLastIndex(a => !a.points))).forEach(drawAction);
    update();
  }

  // become sets now to what the network sees of the drawing: a test digit as it is, and
  // strokes as cmd/predict makes a picture's ink.
  function become() {
    const last = actions.at(-1);
    if (last && !last.points) {
      now = { image: digit(last.digit), place: [width / side, 0, 0, width / side, 0, 0] };
      return;
    }
    const rgba = ink.getImageData(0, 0, width, width).data, grey = new Uint8Array(width * width);
    for (let i = 0; i < grey.length; i++) grey[i] = rgba[4 * i + 3];
    now = center(grey, width) ?? { image: new Uint8Array(pixels), place: identity, blank: true };
    now.drawn = true;
  }

  const bars = [...document.querySelectorAll('[data-digit]')];
  const strips = net.map((l, n) => {
    const columns = l.out <= 32 ? l.out : Math.ceil(Math.sqrt(6 * l.out)), canvas = make('canvas', { width: columns, height: Math.ceil(l.out / columns), role: 'img' });
    canvas.style.width = Math.min(100, columns * 3) + '%';
    const title = make('p');
    $('layers').append(make('div', { className: 'layer' }, title, canvas));
    return a => {
      const top = size(a), active = a.filter(v => Math.abs(v) > 0.05 * top).length;
      title.textContent = canvas.ariaLabel = n < net.length - 1 ? `Layer ${n + 1}: ${active} of ${l.out} units answer, ${l.name}` : `Layer ${n + 1}: for and against each digit, 0 to 9`;
      paint(canvas, a, signed(top));
    };
  });

  // update shows what the network makes of the drawing.
  function update() {
    performance.mark('drawn');
    become();
    const { image: whole, place } = upright(now.image), image = now.drawn ? whole.map((p, j) => Math.min(p, most[j])) : whole;
    if (!data.Deskew) now.image = image;
    const x = inputs(image), all = forward(net, x), p = softmax(all.at(-1)), first = largest(p);
    Object.assign(now, { x, all, first });
    bars.forEach((bar, k) => {
      bar.dataset.probability = now.blank ? 0 : p[k];
      bar.classList.toggle('first', !now.blank && k === first);
      bar.querySelector('i').style.width = 100 * bar.dataset.probability + '%';
      bar.querySelector('.value').textContent = now.blank ? '' : percent(p[k]);
    });
    const second = largest(p.map((v, k) => k === first ? -1 : v));
    $('verdict').replaceChildren(...now.blank ? ['Nothing yet.'] : [make('b', {}, first), `${percent(p[first])}, then ${second} with ${percent(p[second])}`]);
    $('hint').hidden = !now.blank;
    paint($('seen'), image, inkPixel);
    strips.forEach((show, n) => show(all[n + 1]));
    paintHeat(place);
    showSum();
    tellBroken();
    performance.measure('draw', 'drawn');
  }

  // paintHeat lays gradient × input of the digit that is read over the drawing, and the
  // keyboard's pen.
  function paintHeat(place) {
    heat.resetTransform();
    heat.clearRect(0, 0, width, width);
    heat.strokeStyle = `rgb(${colour.positive})`;
    heat.beginPath();
    if (cursor.shown) heat.arc(cursor.x, cursor.y, pen / 2, 0, 7);
    heat.stroke();
    if (now.blank || !$('show-heat').checked) return;
    const g = gradient(net, now.all, now.first).map((v, j) => v * now.x[j]);
    const top = size(g), small = smallCanvas();
    paint(small, g, (p, at, v) => p.set([...v > 0 ? colour.positive : colour.negative, 230 * Math.sqrt(Math.abs(v) / top)], at));
    heat.transform(...now.place);
    heat.transform(...place);
    heat.drawImage(small, 0, 0);
  }

  function load(i) {
    example = false;
    actions.push({ digit: i });
    redraw();
    if (sheet.getBoundingClientRect().top < 0) $('drawing').scrollIntoView();
  }

  let frame = 0; // the next one, in which update will be called
  const soon = () => { frame ||= requestAnimationFrame(() => { frame = 0; update(); }); };

  // stroke begins a stroke at a point, or goes on with it to the point.
  function stroke(at, begins) {
    if (example) $('clear').click();
    if (begins) actions.push({ points: [] });
    const points = actions.at(-1).points;
    points.push(at);
    drawAction({ points: points.slice(-2) });
    soon();
  }
  function pointer(e, begins) {
    const box = sheet.getBoundingClientRect();
    stroke([(e.clientX - box.left) * width / box.width, (e.clientY - box.top) * width / box.height], begins);
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
  sheet.onpointerup = sheet.onpointercancel = () => { cursor.down = null; };

  sheet.onkeydown = e => {
    const step = arrows[e.key], move = (v, by) => clamp(pen / 2, width - pen / 2, v + 7 * by);
    if (step) {
      Object.assign(cursor, { x: move(cursor.x, step[0]), y: move(cursor.y, step[1]) });
      if (cursor.down === 'key') stroke([cursor.x, cursor.y], false);
    } else if (e.key === ' ') {
      cursor.down = cursor.down === 'key' ? null : 'key';
      if (cursor.down) stroke([cursor.x, cursor.y], true);
    } else return;
    e.preventDefault();
    cursor.shown = true;
    soon();
  };
  sheet.onblur = () => { cursor.down = cursor.shown = false; soon(); };

  $('undo').onclick = () => { actions.pop(); redraw(); };
  $('clear').onclick = () => { actions = []; example = false; redraw(); };
  $('show-heat').onchange = update;
  let round = 0; // how many times ten others were asked for
  function showStarts() {
    const all = ten.map(d => sample.filter(i => labels[i] === d)).filter(of => of.length);
    $('starts').replaceChildren(...all.map(of => digitButton(of[round % of.length], '')));
  }
  $('more').onclick = () => { round++; showStarts(); };

  // ---- What each unit looks for ----
  const layer1 = net[0], single = net.length === 1;
  const unitName = k => single ? 'Digit ' + k : 'Unit ' + (k + 1);
  const column = (l, k) => Float64Array.from({ length: l.in }, (_, i) => l.w[i * l.out + k]);
  const deviation = v => Math.sqrt(Math.max(0, average(v.map(x => x * x)) - average(v) ** 2));
  const varies = Float64Array.from(digit(0), (_, j) => Math.min(1, deviation(sample.map(i => inputsOf(i)[j]))));
  const weightsOf = k => column(layer1, k).map((v, j) => v * varies[j]); // where no digit has ink they say nothing
  const shownUnits = data.Order.slice(0, 1024);
  let chosenUnit = data.Order[0], sumBox = null;
  $('tiles').classList.toggle('few', single);
  const tiles = shownUnits.map(k => {
    const b = make('button', { type: 'button', title: unitName(k), ariaLabel: unitName(k), onclick: () => showUnit(k) }, smallCanvas());
    b.dataset.unit = k;
    $('tiles').append(b);
    return b;
  });
  walk(tiles, () => Math.max(1, Math.round($('tiles').clientWidth / tiles[0].clientWidth)));
  // All tiles have one scale. A fifth of them has weights that are beyond it.
  const peaks = shownUnits.map(k => size(weightsOf(k))).sort((a, b) => a - b), peak = peaks[Math.floor(0.8 * (peaks.length - 1))];
  const paintUnit = (canvas, k) => paint(canvas, weightsOf(k), signed(peak));

  // showUnit shows what unit k adds up, which digits excite it and where it goes.
  function showUnit(k) {
    chosenUnit = k;
    choose(tiles, tiles[shownUnits.indexOf(k)]);
    const large = smallCanvas('large'), one = [{ ...layer1, out: 1, w: column(layer1, k), b: layer1.b.subarray(k, k + 1) }];
    paintUnit(large, k);
    const answers = sample.map(i => ({ i, value: forward(one, inputsOf(i))[1][0] }));
    const means = ten.map(d => ({ name: 'digit ' + d, value: average(answers.filter(a => labels[a.i] === d).map(a => a.value)) }));
    const excited = answers.sort((a, b) => b.value - a.value).slice(0, 6).map(a => digitButton(a.i, short(a.value)));
    const outputs = (value, j) => ({ name: net.length === 2 ? 'digit ' + j : 'unit ' + (j + 1), value });
    const next = single ? [] : [titled('Where it goes', balances(strongest(Array.from(net[1].w.subarray(k * net[1].out, (k + 1) * net[1].out), outputs), 10)))];
    sumBox = make('div');
    $('unit').replaceChildren(make('h3', {}, unitName(k)),
      make('div', { className: 'columns' }, large, sumBox, titled('Mean answer to each digit', balances(means)), ...next),
      titled('What excites it most', make('div', { className: 'strip' }, ...excited)));
    showSum();
  }

  // showSum shows what the chosen unit adds up for the drawing.
  function showSum() {
    if (!sumBox) return;
    const k = chosenUnit, bias = layer1.b[k], answer = now.all[1][k];
    const terms = Array.from(now.x, (x, i) => ({ name: `${Math.floor(i / side) + 1}, ${i % side + 1}`, value: x * layer1.w[i * layer1.out + k] }));
    const total = terms.reduce((sum, t) => sum + t.value, 0);
    sumBox.replaceChildren(titled('Its largest inputs, by row and column', balances(strongest(terms, 5))),
      balances(Object.entries({ 'all inputs': total, bias, sum: total + bias, answer }).map(([name, value]) => ({ name, value }))));
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
    $('cell').replaceChildren(make('h3', {}, want + (right ? ', read right' : ', read as ' + as)),
      make('p', { className: 'quiet' }, shown.length ? `${count} of the test digits${few}, ${order} first, with the probability of ${want}.` : 'There is none.'),
      make('div', { className: 'strip' }, ...shown.map(i => digitButton(i, percent(probabilities[10 * i + Number(want)])))));
  }
  cells.forEach((b, i) => {
    const row = cells.slice(i - i % 10, i - i % 10 + 10).reduce((sum, c) => sum + Number(c.dataset.count), 0);
    b.style.setProperty('--share', Math.sqrt(b.dataset.count / Math.max(1, row)));
    b.onclick = () => showCell(b);
  });
  walk(cells, () => 10);

  // ---- How it learnt ----
  const history = data.History ?? [];
  function svg(name, attributes = {}, text = '') {
    const e = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const key in attributes) e.setAttribute(key, attributes[key]);
    e.textContent = text;
    return e;
  }

  // ticks returns round numbers between low and high, or powers of ten.
  function ticks(low, high, log) {
    const all = [], step0 = log ? Math.max(1, Math.ceil((high - low) / 5)) : 10 ** Math.floor(Math.log10((high - low) / 4));
    const step = log ? step0 : step0 * [1, 2, 5, 10].find(m => (high - low) / (step0 * m) <= 5);
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) all.push(k * step);
    return all;
  }

  const least = values => values.reduce((a, b) => Math.min(a, b), Infinity);
  // chart draws lines of [epoch, value] and a marker at an epoch into box.
  function chart(box, lines, epoch, log) {
    const width = Math.max(240, box.clientWidth), height = 220, left = 48, right = 10, top = 8, bottom = 26;
    lines = lines.map(l => ({ ...l, points: l.points.filter(p => p[1] !== null && Math.abs(p[1]) !== Infinity && (!log || p[1] > 0)).map(p => [p[0], log ? Math.log10(p[1]) : p[1]]) }));
    const all = i => lines.flatMap(l => l.points.map(p => p[i])), low = least(all(1)), e0 = least(all(0));
    const high = Math.max(low + 1e-6 * Math.max(1, Math.abs(low)), -least(all(1).map(v => -v))), e1 = Math.max(e0 + 1, history.length);
    if (low === Infinity) return box.replaceChildren('Not measured.');
    const X = e => left + (e - e0) / (e1 - e0) * (width - left - right), Y = v => top + (high - v) / (high - low) * (height - top - bottom);
    const picture = svg('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': lines.map(l => l.name).join(', ') + ' over the epochs' });
    for (const v of ticks(low, high, log)) {
      picture.append(svg('line', { class: 'grid', x1: left, x2: width - right, y1: Y(v), y2: Y(v) }),
        svg('text', { x: left - 6, y: Y(v) + 4, 'text-anchor': 'end' }, short(log ? 10 ** v : Number(v.toPrecision(6)))));
    }
    for (const e of ticks(e0, e1).filter(Number.isInteger)) picture.append(svg('text', { x: X(e), y: height - 8, 'text-anchor': 'middle' }, e));
    for (const l of lines) {
      const g = svg('g'), dots = l.points.filter(p => p[0] === epoch).map(p => svg('circle', { cx: X(epoch), cy: Y(p[1]), r: 4 }));
      g.style.color = l.colour;
      g.append(svg('polyline', { points: l.points.map(p => X(p[0]).toFixed(1) + ',' + Y(p[1]).toFixed(1)).join(' ') }), ...dots);
      picture.append(g);
    }
    picture.append(svg('line', { class: 'marker', x1: X(epoch), x2: X(epoch), y1: top, y2: height - bottom }));
    box.replaceChildren(picture, make('div', { className: 'keys' }, ...lines.map(l => {
      const key = make('span', {}, make('i'), l.name);
      key.style.setProperty('--key', l.colour);
      return key;
    })));
  }

  const four = v => v === null ? '–' : v < 1e5 ? v.toFixed(4) : short(v); // null was not measured
  const layerColour = (n, of) => `color-mix(in oklch, rgb(var(--positive)), rgb(var(--negative)) ${of < 2 ? 0 : 100 * n / (of - 1)}%)`;
  function showHistory() {
    if (!history.length) return;
    const epoch = Number($('epoch').value), e = history[epoch - 1], stat = Number($('stat').value);
    const line = (name, key, colour) => ({ name, colour: `rgb(var(--${colour}))`, points: history.map((h, i) => [i + 1, h[key]]) });
    const held = e.ValidationLoss === null ? [] : [line('held out', 'ValidationLoss', 'negative')];
    chart($('loss-chart'), [line('training', 'Loss', 'muted'), line('test', 'TestLoss', 'positive'), ...held], epoch);
    chart($('accuracy-chart'), [line('training', 'Metric', 'muted'), line('test', 'TestMetric', 'positive')], epoch);
    const loss = `loss ${four(e.Loss)} in training, ${four(e.TestLoss)} in the test`, accuracy = `accuracy ${four(e.Metric)} and ${four(e.TestMetric)}`;
    $('moment').textContent = `Epoch ${epoch} of ${history.length}: ${loss}; ${accuracy}`;
    const layers = e.Layers ?? [], begin = data.First ? [{ Layers: data.First }] : [{}];
    $('layer-figure').hidden = !layers.length;
    chart($('layer-chart'), layers.map((_, n) => ({
      name: 'layer ' + (n + 1), colour: layerColour(n, layers.length),
      points: [...begin, ...history].map((h, i) => [i, h.Layers?.[n]?.[stat] ?? null]),
    })), epoch, true);
    const row = (name, head, cells) => make('tr', {}, make('th', {}, name), ...cells.map((c, k) => make(head, { className: k === stat ? 'chosen' : '' }, c)));
    $('stats').replaceChildren(row('epoch ' + epoch, 'th', data.Stats), ...layers.map((l, n) => row('layer ' + (n + 1), 'td', l.map(short))));
  }

  // ---- Break it ----
  let broken = net, attempt = 0;
  $('break-layer').append(make('option', { value: -1 }, 'all layers'), ...net.map((l, n) => make('option', { value: n }, `layer ${n + 1}, ${l.in} × ${l.out}`)));
  const sizes = once(n => net[n].w.map(Math.abs).sort());
  const spread = once(n => Math.sqrt(average(net[n].w.map(v => v * v))));
  // gauss has a number from N(0, 1) for each weight, the same each time.
  const gauss = once(n => {
    let state = 1 + n;
    const uniform = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) + 1) / 4294967297;
    return Float32Array.from(net[n].w, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
  });

  function breakIt() {
    const [bias, drop, noise] = ['bias', 'drop', 'noise'].map(name => $('break-' + name).value / 100), layer = Number($('break-layer').value);
    const limit = n => drop === 0 ? 0 : drop === 1 ? Infinity : sizes(n)[Math.floor(drop * net[n].w.length)];
    broken = net.map((l, n) => {
      if (layer >= 0 && layer !== n) return l;
      const least = limit(n), deviation = noise && noise * spread(n), g = noise ? gauss(n) : l.w;
      return { ...l, b: l.b.map(v => v * bias), w: drop || noise ? l.w.map((v, i) => (Math.abs(v) < least ? 0 : v) + deviation * g[i]) : l.w };
    });
    const below = drop > 0 && drop < 1 && (layer >= 0 || single) ? ', below ' + short(limit(Math.max(0, layer))) : '';
    $('bias-text').textContent = Math.round(100 * bias) + ' %';
    $('drop-text').textContent = Math.round(100 * drop) + ' %' + below;
    $('noise-text').textContent = Math.round(100 * noise) + ' %';
    tellBroken();
    measure(++attempt);
  }

  // measure reads the test digits with the broken network, a few at a time so that the
  // page stays responsive, until another attempt begins.
  async function measure(mine) {
    let right = 0, whole = 0;
    for (let i = 0; i < data.Sample && mine === attempt;) {
      for (const end = performance.now() + 12; i < data.Sample && performance.now() < end; i++) {
        right += largest(Array.from(forward(broken, inputsOf(i)).at(-1))) === labels[i];
        whole += read[i] === labels[i];
      }
      const now = 100 * right / i, before = 100 * whole / i;
      $('broken-accuracy').textContent = now.toFixed(1) + ' %';
      $('broken-change').textContent = now === before ? 'as the whole network' : `${now > before ? '+' : '−'}${Math.abs(now - before).toFixed(1)} points`;
      $('broken-bar').style.width = now + '%';
      $('whole-bar').style.left = `calc(${before}% - 1px)`;
      $('broken-progress').textContent = `of ${i} test digits; the line is the whole network with ${before.toFixed(1)}\u00a0%`;
      await new Promise(done => setTimeout(done));
    }
  }

  function tellBroken() {
    const p = softmax(forward(broken, now.x).at(-1)), k = largest(p);
    $('broken-drawing').textContent = now.blank ? '' : `It reads the drawing as ${k} with ${percent(p[k])}.`;
  }
  $('controls').oninput = breakIt;
  $('controls').onreset = () => setTimeout(breakIt); // after the sliders are back

  // ---- The beginning ----
  // paintAll paints everything, again if the colours have changed.
  function paintAll() {
    readColours();
    showStarts();
    tiles.forEach((b, i) => paintUnit(b.firstChild, shownUnits[i]));
    redraw();
    showUnit(chosenUnit);
    showCell(chosenCell);
    showHistory();
  }
  actions = [{ digit: Math.max(0, labels.indexOf(3)) }];
  for (const id of ['stat', 'epoch']) $(id)?.addEventListener('input', showHistory);
  paintAll();
  breakIt();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paintAll);
  new ResizeObserver(() => showHistory()).observe($('history'));

  window.mlp = Object.freeze({
    predict: image => softmax(forward(net, inputs(upright(Uint8Array.from(image)).image)).at(-1)),
    image: () => Array.from(now.image),
  });
})();
