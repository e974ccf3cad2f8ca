// One neuron: its inputs, weights and bias to drag; the sum and the output follow.

import { ACTIVATIONS, answer, choice, element, frame, minus, set, slider } from "./shared.js";

const WIDTH = 300;
const HEIGHT = 170;
const REACH = 6; // of the curve: weighted sums from -6 to 6
const FUNCTIONS = { sigmoid: "sigmoid", ReLU: "relu", tanh: "tanh" };
const RANGES = { sigmoid: [-0.1, 1.1], ReLU: [-0.6, 6.4], tanh: [-1.15, 1.15] };

export function neuron({ inputs, weights, bias, activation }) {
  const products = inputs.map((input, i) => input * weights[i]);
  const sum = products.reduce((total, product) => total + product, bias);
  return { products, sum, output: ACTIVATIONS[FUNCTIONS[activation]]([sum])[0] };
}

function render({ model, el }) {
  const state = {
    inputs: [...model.get("inputs")],
    weights: [...model.get("weights")],
    bias: model.get("bias"),
    activation: "sigmoid",
  };
  const root = frame(el, "neuron", "One neuron, with inputs, weights and bias to change");

  const table = element(root, "div", { className: "live-rows" });
  const products = state.inputs.map((_, i) => {
    const row = element(table, "div", { className: "live-row" });
    const format = (value) => value.toFixed(2);
    slider(row, {
      ...{ label: `input ${i + 1}`, min: 0, max: 1, step: 0.05, value: state.inputs[i], format },
      change: (value) => change(() => (state.inputs[i] = value)),
    });
    slider(row, {
      ...{ label: `× weight ${i + 1}`, min: -3, max: 3, step: 0.05, format },
      value: state.weights[i],
      change: (value) => change(() => (state.weights[i] = value)),
    });
    return element(row, "span", { className: "live-number" });
  });
  const last = element(table, "div", { className: "live-row" });
  slider(last, {
    ...{ label: "+ bias", min: -3, max: 3, step: 0.05, value: state.bias },
    format: (value) => value.toFixed(2),
    change: (value) => change(() => (state.bias = value)),
  });
  const sum = element(last, "span", { className: "live-number live-sum" });

  const below = element(root, "div", { className: "live-columns" });
  const left = element(below, "div");
  choice(left, {
    label: "activation",
    options: Object.keys(FUNCTIONS),
    value: state.activation,
    change: (name) => change(() => (state.activation = name)),
  });
  const say = answer(left);
  const plot = element(below, "svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "live-plot" });
  plot.setAttribute("role", "img");
  element(plot, "line", { class: "live-axis", x1: WIDTH / 2, x2: WIDTH / 2, y1: 0, y2: HEIGHT });
  const zero = element(plot, "line", { class: "live-axis", x1: 0, x2: WIDTH });
  const curve = element(plot, "polyline", { class: "live-curve" });
  const drop = element(plot, "polyline", { class: "live-drop" });
  const dot = element(plot, "circle", { class: "live-dot", r: 6 });
  element(plot, "text", { x: WIDTH - 2, y: HEIGHT - 4, "text-anchor": "end", text: "sum" });
  element(plot, "text", { x: WIDTH / 2 + 6, y: 13, text: "output" });

  function place(x, y) {
    const [low, high] = RANGES[state.activation];
    const inside = Math.max(-REACH, Math.min(REACH, x));
    return [(WIDTH * (inside + REACH)) / (2 * REACH), (HEIGHT * (high - y)) / (high - low)];
  }

  function change(what) {
    what();
    show();
  }

  function show() {
    const now = neuron(state);
    now.products.forEach(
      (product, i) => (products[i].textContent = minus(`= ${product.toFixed(2)}`)),
    );
    sum.textContent = minus(`sum ${now.sum.toFixed(2)}`);
    const f = ACTIVATIONS[FUNCTIONS[state.activation]];
    const points = Array.from({ length: 121 }, (_, i) => {
      const x = REACH * (i / 60 - 1);
      return place(x, f([x])[0]).join();
    });
    curve.setAttribute("points", points.join(" "));
    const [x, y] = place(now.sum, Math.min(f([now.sum])[0], RANGES[state.activation][1]));
    const [, axis] = place(0, 0);
    set(zero, { y1: axis, y2: axis });
    set(dot, { cx: x, cy: y });
    drop.setAttribute("points", `${x},${axis} ${x},${y} ${WIDTH / 2},${y}`);
    const text = `${state.activation}(${now.sum.toFixed(2)}) = ${now.output.toFixed(2)}`;
    say(
      text.replaceAll("-", "−"),
      `The sum is ${now.sum.toFixed(2)}, the output ${now.output.toFixed(2)}.`,
    );
    plot.setAttribute(
      "aria-label",
      `The curve of ${state.activation}, a dot at the sum ${now.sum.toFixed(2)}`,
    );
  }
  show();
}

export default { render };
