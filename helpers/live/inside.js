// Inside a dense network: what its hidden neurons look for, and what they say of an image.

import {
  answer,
  bytes,
  canvas,
  choice,
  element,
  floats,
  forward,
  frame,
  minus,
  network,
  paint,
  picker,
  slider,
} from "./shared.js";

const ACROSS = 8; // neurons in a row
const GAP = 2;
const BAR = 4; // a neuron's activation for the image, below its weights
const SHOWN = 8; // strongest images

// How many weights of a neuron stand side by side: as the pixels do, or the neurons before it,
// unless they are too many for that.
function columns(inputs) {
  if (inputs === 784) return 28;
  return inputs <= ACROSS ** 2 ? ACROSS : Math.ceil(Math.sqrt(inputs));
}

function render({ model, el }) {
  const layers = network(model.get("layers"), floats(model.get("weights")));
  const hidden = layers.slice(0, -1);
  const digits = model.get("digits");
  const pixels = bytes(model.get("images"));
  const images = digits.map((_, i) =>
    Float32Array.from(pixels.subarray(784 * i, 784 * (i + 1)), (gray) => gray / 255),
  );
  const picked = model.get("picked");
  const strongest = model.get("strongest"); // layer, neuron -> [image, activation]
  const shares = model.get("shares"); // layer, neuron -> for how many images it is on
  const stages = model.get("stages"); // names; the last is the network as it is
  const grown = new Int8Array(bytes(model.get("grown")).buffer);
  const scales = model.get("scales"); // of each stage: what 127 stands for
  const state = { layer: 0, neuron: 0, image: picked[0], stage: stages.length - 1 };

  const root = frame(el, "inside", "Inside the network: its hidden neurons, to look at one by one");
  const names = hidden.map((_, i) => `hidden layer ${i + 1}`);
  if (names.length > 1) {
    choice(root, {
      label: "look into",
      options: names,
      value: names[0],
      change: (name) => {
        Object.assign(state, { layer: names.indexOf(name), neuron: 0 });
        layout();
        showNeurons();
      },
    });
  }
  const board = element(root, "div", { className: "live-board" });
  const note = element(root, "p", { className: "live-note" });
  const told =
    "Blue weights count for the neuron, orange ones against it; crossed out is dead. The bar below a neuron is its activation for the chosen image.";
  const stage = slider(root, {
    ...{ label: "stage", min: 0, max: Math.max(0, stages.length - 1), step: 1 },
    value: state.stage,
    format: (value) => stages[value] ?? "",
    change: (value) => {
      state.stage = value;
      showNeurons();
    },
  });
  const neuron = slider(root, {
    ...{ label: "neuron", min: 0, max: hidden[0].outputs - 1, step: 1, value: 0, format: String },
    change: pick,
  });
  const say = answer(root);
  const caption = element(root, "p", { className: "live-note" });
  const best = canvas(root, SHOWN * 30 - 2, 28, "");
  best.className = "live-best-images";
  picker(root, {
    label: "image",
    images: picked.map((i) => images[i]),
    name: (i) => `image ${i + 1} of ${picked.length}, a ${digits[picked[i]]}`,
    change: (i) => {
      state.image = picked[i];
      showNeurons();
    },
  });

  // One canvas for all neurons: one for each takes ten times as long to paint.
  let grid, width, height, zoom, context;
  function layout() {
    const { inputs, outputs } = hidden[state.layer];
    zoom = Math.max(1, Math.trunc(28 / columns(inputs)));
    width = zoom * columns(inputs);
    height = zoom * Math.ceil(inputs / columns(inputs));
    const rows = Math.ceil(outputs / ACROSS);
    board.replaceChildren();
    const size = [ACROSS * (width + GAP) + GAP, rows * (height + BAR + 2 * GAP) + GAP];
    grid = canvas(board, ...size, `The weights of ${outputs} neurons`);
    grid.style.cursor = "pointer";
    context = grid.getContext("2d");
    grid.addEventListener("click", (event) => {
      const box = grid.getBoundingClientRect();
      const column = Math.trunc(((event.clientX - box.left) / box.width) * ACROSS);
      const row = Math.trunc(((event.clientY - box.top) / box.height) * rows);
      pick(Math.min(outputs - 1, row * ACROSS + column));
    });
    neuron.input.max = outputs - 1;
    neuron.write(state.neuron);
    stage.row.hidden = state.layer > 0 || stages.length < 2;
    const where = " Each weight stands where its neuron stands in the layer before.";
    note.textContent = told + (columns(inputs) === ACROSS ? where : "");
  }

  function pick(index) {
    state.neuron = index;
    neuron.write(index);
    showNeurons();
  }

  // The weights of a neuron, 1 for the largest of the layer.
  function weightsOf(index, most) {
    const { inputs, weights } = hidden[state.layer];
    if (state.layer === 0 && state.stage < stages.length - 1) {
      const start = (state.stage * hidden[0].outputs + index) * inputs;
      const scale = scales[state.stage] / 127 / most;
      return Array.from(grown.subarray(start, start + inputs), (value) => value * scale);
    }
    const own = weights.subarray(index * inputs, (index + 1) * inputs);
    return Array.from(own, (weight) => weight / most);
  }

  function showNeurons() {
    const { outputs, weights } = hidden[state.layer];
    const said = forward(layers, images[state.image])[state.layer];
    const loudest = Math.max(1e-9, ...said.map(Math.abs));
    // A few weights far larger than the rest would leave the others pale.
    const sorted = Float32Array.from(weights, Math.abs).sort();
    const most = sorted[Math.trunc(0.99 * (sorted.length - 1))] || 1;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, grid.width, grid.height);
    for (let i = 0; i < outputs; i++) {
      const x = GAP + (i % ACROSS) * (width + GAP);
      const y = GAP + Math.trunc(i / ACROSS) * (height + BAR + 2 * GAP);
      const own = weightsOf(i, most);
      const filled = Array.from({ length: width * height }, (_, pixel) => {
        const row = Math.trunc(pixel / width / zoom);
        return own[row * (width / zoom) + Math.trunc((pixel % width) / zoom)] ?? 0;
      });
      paint(context, filled, width, height, { x, y, signed: true });
      context.fillStyle = said[i] < 0 ? "#c75200" : "#00588a";
      context.fillRect(x, y + height + 1, (width * Math.abs(said[i])) / loudest, BAR - 1);
      if (shares[state.layer][i] === 0) cross(x, y);
      if (i === state.neuron) {
        context.strokeStyle = "#c75200";
        context.lineWidth = 2;
        context.strokeRect(x - 1, y - 1, width + 2, height + BAR + 2);
      }
    }
    showNeuron(said[state.neuron]);
  }

  function cross(x, y) {
    context.strokeStyle = "#777";
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + width, y + height);
    context.moveTo(x + width, y);
    context.lineTo(x, y + height);
    context.stroke();
  }

  function showNeuron(said) {
    const { layer, neuron: index } = state;
    const share = shares[layer][index];
    const list = strongest[layer][index];
    const drawing = best.getContext("2d");
    best.hidden = list.length === 0;
    drawing.fillStyle = "#fff";
    drawing.fillRect(0, 0, best.width, best.height);
    list.forEach(([image], i) => paint(drawing, images[image], 28, 28, { x: 30 * i }));
    const shown = list.map(([image]) => digits[image]).join(", ");
    best.setAttribute("aria-label", list.length ? `Strongest images: ${shown}` : "No image");
    caption.textContent = list.length
      ? `Its strongest images (activation up to ${list[0][1].toFixed(1)}): ${shown}`
      : "It is dead: 0 for every image.";
    const dead = share === 0 ? "is dead" : `is on for ${(100 * share).toFixed(0)}% of the images`;
    say(
      `Neuron ${index} ${dead}. Its activation for the chosen ${digits[state.image]}: ${minus(said.toFixed(2))}.`,
    );
  }

  layout();
  showNeurons();
}

export default { render };
