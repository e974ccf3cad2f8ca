// The valley: a walk down one loss of two weights, by an optimizer of one's choice.

import { answer, button, choice, element, frame, lessMotion, set, slider } from "./shared.js";

export const STEPS = 30;
const X = 10.5; // the picture shows x from -10.5 to 10.5, and y from -2.6 to 2.6
const Y = 2.6;
const WIDTH = 340;
const HEIGHT = 210;
const RATES = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
  ...[0.95, 1, 1.05, 1.1, 1.2, 1.5, 2],
];
const FIRST_RATE = { SGD: 0.9, RMSprop: 0.2, Adam: 0.6 };
const PAUSE = 90; // ms between two steps

export const loss = ([x, y]) => 0.02 * x ** 2 + y ** 2;
const gradient = ([x, y]) => [0.04 * x, 2 * y];

// How far each optimizer moves a weight, as in PyTorch; `kept` is what it remembers of the weight.
const MOVES = {
  SGD: (g, kept, t, rate, momentum) => {
    kept.m = t === 1 ? g : momentum * kept.m + g;
    return rate * kept.m;
  },
  RMSprop: (g, kept, t, rate) => {
    kept.v = 0.99 * (kept.v ?? 0) + 0.01 * g * g;
    return (rate * g) / (Math.sqrt(kept.v) + 1e-8);
  },
  Adam: (g, kept, t, rate) => {
    kept.m = 0.9 * (kept.m ?? 0) + 0.1 * g;
    kept.v = 0.999 * (kept.v ?? 0) + 0.001 * g * g;
    const root = Math.sqrt(kept.v / (1 - 0.999 ** t)) + 1e-8;
    return (rate * (kept.m / (1 - 0.9 ** t))) / root;
  },
};

// The positions of a walk, the start first.
export function walk({ optimizer, rate, momentum = 0, start }) {
  const path = [start];
  const kept = start.map(() => ({}));
  for (let t = 1; t <= STEPS; t++) {
    const here = path[t - 1];
    const slopes = gradient(here);
    path.push(here.map((w, i) => w - MOVES[optimizer](slopes[i], kept[i], t, rate, momentum)));
  }
  return path;
}

function render({ model, el }) {
  const state = {
    optimizer: "SGD",
    rate: 0.9,
    momentum: 0,
    start: [...model.get("start")],
    steps: STEPS,
  };
  const root = frame(
    el,
    "valley",
    "A walk down a valley, with optimizer and learning rate to choose",
  );
  choice(root, {
    label: "optimizer",
    options: Object.keys(MOVES),
    value: state.optimizer,
    change: (optimizer) => {
      Object.assign(state, { optimizer, rate: FIRST_RATE[optimizer] });
      rate.write(state.rate);
      momentum.input.disabled = optimizer !== "SGD";
      momentum.row.classList.toggle("live-off", optimizer !== "SGD");
      show();
    },
  });
  const part = (name, options) =>
    slider(root, {
      value: state[name],
      ...options,
      change: (value) => {
        stop();
        state[name] = value;
        show();
      },
    });
  const rate = part("rate", { label: "learning rate", values: RATES, format: String });
  const momentum = part("momentum", {
    ...{ label: "momentum", min: 0, max: 0.95, step: 0.05 },
    format: (value) => value.toFixed(2),
  });
  const steps = part("steps", { label: "steps", min: 0, max: STEPS, step: 1, format: String });
  const buttons = element(root, "div", { className: "live-buttons" });
  button(buttons, "Walk step by step", play);
  const say = answer(root);

  const plot = element(root, "svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "live-plot" });
  const place = ([x, y]) => [(WIDTH * (x + X)) / (2 * X), (HEIGHT * (Y - y)) / (2 * Y)];
  for (const level of [0.02, 0.1, 0.3, 0.7, 1.3, 2.2, 3.4, 5]) {
    const [cx, cy] = place([0, 0]);
    const rx = (Math.sqrt(level / 0.02) * WIDTH) / (2 * X);
    const ry = (Math.sqrt(level) * HEIGHT) / (2 * Y);
    element(plot, "ellipse", { class: "live-contour", cx, cy, rx, ry });
  }
  const names = element(plot, "g");
  element(names, "text", {
    x: WIDTH - 6,
    y: HEIGHT - 6,
    "text-anchor": "end",
    text: "one weight →",
  });
  element(names, "text", { x: WIDTH - 6, y: 16, "text-anchor": "end", text: "another weight ↑" });
  const line = element(plot, "polyline", { class: "live-curve" });
  const dots = Array.from({ length: STEPS }, () =>
    element(plot, "circle", { class: "live-step", r: 2.6 }),
  );
  const handle = element(plot, "g", { class: "live-handle", tabindex: 0, role: "slider" });
  element(handle, "circle", { class: "live-touch", r: 22 });
  element(handle, "circle", { class: "live-dot", r: 6 });
  element(handle, "text", { x: 10, y: -9, text: "start" });

  // Far beyond the picture, so that the line leaves it, and no further than can be drawn.
  const near = (value) => (Number.isFinite(value) ? Math.max(-1e4, Math.min(1e4, value)) : 1e4);

  function show() {
    const path = walk(state).slice(0, state.steps + 1);
    const places = path.map((position) => place(position).map(near));
    line.setAttribute("points", places.map((point) => point.join()).join(" "));
    dots.forEach((dot, i) => {
      const [cx, cy] = places[i + 1] ?? [-99, -99];
      set(dot, { cx, cy });
    });
    handle.setAttribute("transform", `translate(${places[0]})`);
    const [x, y] = state.start.map((value) => value.toFixed(1));
    handle.setAttribute("aria-label", "start: move it with the arrow keys");
    handle.setAttribute("aria-valuetext", `one weight ${x}, another weight ${y}`);
    handle.setAttribute("aria-valuenow", x);
    const end = loss(path.at(-1));
    const out = path.findIndex(([a, b]) => Math.abs(a) > X || Math.abs(b) > Y);
    const count = `${state.steps} ${state.steps === 1 ? "step" : "steps"}`;
    const reached = Number.isFinite(end) ? number(end) : "no longer a number";
    let said = `The loss is ${number(loss(path[0]))} at the start and ${reached} after ${count}.`;
    if (out > 0) said += ` The walk leaves the picture in step ${out}.`;
    if (end > 10 * loss(path[0])) said += " It flies off: the steps are too long.";
    say(said);
  }

  const number = (value) =>
    value < 0.001 && value > 0 ? "below 0.001" : Number(value.toPrecision(3)).toString();

  let timer;
  function stop() {
    clearInterval(timer);
  }
  function play() {
    stop();
    state.steps = lessMotion() ? STEPS : 0;
    const go = () => {
      steps.write(state.steps);
      show();
      if (state.steps >= STEPS) stop();
      else state.steps += 1;
    };
    go();
    if (state.steps < STEPS) timer = setInterval(go, PAUSE);
  }

  function move([x, y]) {
    state.start = [Math.max(-10, Math.min(10, x)), Math.max(-2.4, Math.min(2.4, y))];
    show();
  }
  handle.addEventListener("keydown", (event) => {
    const by = {
      ArrowLeft: [-0.5, 0],
      ArrowRight: [0.5, 0],
      ArrowUp: [0, 0.1],
      ArrowDown: [0, -0.1],
    };
    if (!by[event.key]) return;
    event.preventDefault();
    move(state.start.map((value, i) => value + by[event.key][i]));
  });
  handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId));
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const box = plot.getBoundingClientRect();
    const across = (event.clientX - box.left) / box.width;
    const down = (event.clientY - box.top) / box.height;
    move([(2 * across - 1) * X, (1 - 2 * down) * Y]);
  });
  show();
  return stop;
}

export default { render };
