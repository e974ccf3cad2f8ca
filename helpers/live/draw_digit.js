// A canvas to draw a digit on, and what the network makes of it.

import {
  answer,
  asker,
  bars,
  button,
  canvas,
  element,
  frame,
  largest,
  paint,
  set,
} from "./shared.js";

export const SIZE = 112; // of the drawing: fine enough for a smooth line
const PEN = SIZE / 13;
const BY_KEY = 3; // pixels that the pen moves at each press of an arrow
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// ---- the preparation: center_and_scale and shrink of helpers/drawing.py, step by step

// To the nearest whole number, and from halfway to the even one, as Python does.
function round(value) {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}

// The mean over boxes, first along rows and then along columns, rounded as Pillow does.
function resized(pixels, width, height, toWidth, toHeight) {
  const means = (from, to, count, read, write) => {
    const scale = from / to;
    const side = Math.max(1, scale);
    for (let i = 0; i < to; i++) {
      const middle = (i + 0.5) * scale;
      const first = Math.max(0, Math.trunc(middle - side / 2 + 0.5));
      const last = Math.min(from, Math.trunc(middle + side / 2 + 0.5));
      const inside = [];
      for (let k = first; k < last; k++) {
        const place = (k - middle + 0.5) * (1 / side);
        if (place > -0.5 && place <= 0.5) inside.push(k);
      }
      for (let line = 0; line < count; line++) {
        const sum = inside.reduce((total, k) => total + read(k, line), 0);
        write(i, line, sum / inside.length);
      }
    }
  };
  const narrow = new Float32Array(toWidth * height);
  means(
    width,
    toWidth,
    height,
    (x, y) => pixels[y * width + x],
    (x, y, mean) => (narrow[y * toWidth + x] = mean),
  );
  const small = new Float32Array(toWidth * toHeight);
  means(
    height,
    toHeight,
    toWidth,
    (y, x) => narrow[y * toWidth + x],
    (y, x, mean) => (small[y * toWidth + x] = mean),
  );
  return small;
}

export const shrink = (drawing) => resized(drawing, SIZE, SIZE, 28, 28);

export function centerAndScale(drawing) {
  const image = new Float32Array(28 * 28);
  let [left, right, top, bottom] = [SIZE, -1, SIZE, -1];
  drawing.forEach((ink, i) => {
    if (ink <= 0.1) return;
    const [x, y] = [i % SIZE, Math.trunc(i / SIZE)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  });
  if (right < 0) return image;
  const sides = [right - left + 1, bottom - top + 1];
  const ink = new Float32Array(sides[0] * sides[1]);
  ink.forEach((_, i) => {
    ink[i] = drawing[(top + Math.trunc(i / sides[0])) * SIZE + left + (i % sides[0])];
  });
  const [width, height] = sides.map((side) => Math.max(1, round((20 * side) / Math.max(...sides))));
  const small = resized(ink, ...sides, width, height);
  let [total, across, down] = [0, 0, 0];
  small.forEach((value, i) => {
    total += value;
    across += value * (i % width);
    down += value * Math.trunc(i / width);
  });
  // One whose weight lies far from its middle must not be pushed over the edge.
  const place = (mean, side) => Math.max(0, Math.min(28 - side, round(14 - mean)));
  const [x0, y0] = [place(across / total, width), place(down / total, height)];
  small.forEach((value, i) => {
    image[(y0 + Math.trunc(i / width)) * 28 + x0 + (i % width)] = value;
  });
  return image;
}

// ---- the canvas

function render({ model, el }) {
  const root = frame(el, "draw-digit", "Draw a digit and see what the network says");
  const say = answer(root);
  const columns = element(root, "div", { className: "live-columns" });

  const left = element(columns, "div", { className: "live-desk" });
  const sheet = element(left, "div", { className: "live-sheet" });
  const how =
    "draw with mouse, finger or pen; or move with the arrow keys, the space bar puts the pen down and lifts it";
  const paper = canvas(sheet, SIZE, SIZE, `Canvas: ${how}`);
  set(paper, { tabIndex: 0, className: "live-paper" });
  paper.setAttribute("role", "application");
  const nib = element(sheet, "div", { className: "live-nib" });
  const ink = paper.getContext("2d", { willReadFrequently: true });
  const buttons = element(left, "div", { className: "live-buttons" });
  const undo = button(buttons, "Undo", () => {
    strokes.pop();
    redraw();
  });
  const clear = button(buttons, "Clear", () => {
    strokes.length = 0;
    redraw();
  });
  const label = element(left, "label", { className: "live-check" });
  const centered = element(label, "input", { type: "checkbox", checked: true });
  element(label, "span", { text: "center and scale as in MNIST" });
  centered.addEventListener("change", read);

  const right = element(columns, "div");
  const show = bars(right, [...Array(10).keys()].map(String));

  const inside = element(root, "div", { className: "live-columns live-inside" });
  const part = (text, width, height, what) => {
    const place = element(inside, "div");
    element(place, "p", { className: "live-note", text });
    const made = canvas(place, width, height, what);
    return { canvas: made, context: made.getContext("2d") };
  };
  const seen = part("What the network sees", 28, 28, "The drawing as 28 by 28 pixels");
  seen.canvas.classList.add("live-seen");
  const hidden = model
    .get("layers")
    .slice(0, -1)
    .map(([, neurons], i) => {
      const width = Math.min(neurons, 16);
      const height = Math.ceil(neurons / width);
      const text = `Hidden layer ${i + 1}: ${neurons} neurons`;
      const made = part(text, width, height, text);
      made.canvas.style.setProperty("--columns", width);
      made.canvas.classList.add("live-neurons");
      return { ...made, width, height, text };
    });

  const strokes = []; // each the points that the pen passed
  let pen = null; // the stroke that is being drawn
  function segment([x1, y1], [x2, y2]) {
    Object.assign(ink, { lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    ink.beginPath();
    ink.moveTo(x1, y1);
    ink.lineTo(x2, y2);
    ink.stroke();
  }
  function draw(point) {
    segment(pen.at(-1) ?? point, point);
    pen.push(point);
    read();
  }
  function begin(point) {
    strokes.push((pen = []));
    draw(point);
  }
  function redraw() {
    pen = null;
    ink.clearRect(0, 0, SIZE, SIZE);
    for (const stroke of strokes) stroke.forEach((p, i) => segment(stroke[i - 1] ?? p, p));
    read();
  }

  function under(event) {
    const box = paper.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * SIZE,
      ((event.clientY - box.top) / box.height) * SIZE,
    ];
  }
  paper.addEventListener("pointerdown", (event) => {
    paper.setPointerCapture(event.pointerId);
    begin(under(event));
  });
  paper.addEventListener("pointermove", (event) => {
    if (paper.hasPointerCapture(event.pointerId) && pen) draw(under(event));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    paper.addEventListener(end, () => (pen = null));
  }

  // With the keyboard: two arrows held together draw a slanting line.
  let at = [SIZE / 2, SIZE / 4];
  const held = new Set();
  const showNib = () => {
    Object.assign(nib.style, { left: `${(100 * at[0]) / SIZE}%`, top: `${(100 * at[1]) / SIZE}%` });
    nib.classList.toggle("live-down", pen !== null);
  };
  paper.addEventListener("keydown", (event) => {
    if (event.key === " ") {
      if (pen) pen = null;
      else begin(at);
    } else if (ARROWS[event.key]) {
      held.add(event.key);
      for (const key of held) at = at.map((value, i) => value + BY_KEY * ARROWS[key][i]);
      at = at.map((value) => Math.max(0, Math.min(SIZE, value)));
      if (pen) draw(at);
    } else return;
    event.preventDefault();
    showNib();
  });
  paper.addEventListener("keyup", (event) => held.delete(event.key));
  paper.addEventListener("blur", () => {
    held.clear();
    pen = null;
    showNib();
  });

  // The drawing, read anew.
  let image;
  function read() {
    undo.disabled = clear.disabled = strokes.length === 0;
    if (strokes.length === 0) {
      image = new Float32Array(28 * 28);
      tell(null);
      return;
    }
    const pixels = ink.getImageData(0, 0, SIZE, SIZE).data;
    const drawing = Float32Array.from({ length: SIZE * SIZE }, (_, i) => pixels[4 * i + 3] / 255);
    image = centered.checked ? centerAndScale(drawing) : shrink(drawing);
    ask([image]);
  }
  function tell(found, message = "") {
    paint(seen.context, image, 28, 28);
    const activations = found?.[0];
    hidden.forEach(({ canvas: made, context, width, height, text }, layer) => {
      const values = [...(activations?.[layer] ?? [])];
      const most = Math.max(1e-9, ...values.map(Math.abs));
      const shares = Array.from({ length: width * height }, (_, i) => (values[i] ?? 0) / most);
      paint(context, shares, width, height, { signed: true });
      const active = values.filter((value) => value > 0).length;
      made.setAttribute("aria-label", `${text}, of which ${active} answer`);
    });
    const outputs = activations?.at(-1);
    const best = outputs ? largest(outputs) : undefined;
    show(outputs, best);
    if (message) say(message);
    else if (outputs)
      say(`The network says: ${best}`, `The network says ${best}, ${outputs[best].toFixed(2)}`);
    else say("Draw a digit.");
  }
  const ask = asker(model, (found, message) => strokes.length && tell(found, message));
  showNib();
  read();
}

export default { render };
