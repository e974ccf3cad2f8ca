// What the live figures share: the parts they are made of, pictures, and the network.

export function element(parent, tag, properties = {}) {
  const space = parent.namespaceURI?.endsWith("svg") || tag === "svg";
  const child = space
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  set(child, properties);
  parent.append(child);
  return child;
}

export function set(target, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (name === "text") target.textContent = value;
    else if (name in target && !target.namespaceURI.endsWith("svg")) target[name] = value;
    else target.setAttribute(name, value);
  }
}

// The frame of a figure. Keys pressed in it are its own: an arrow moves a slider, not the notebook.
export function frame(el, name, label) {
  const root = element(el, "div", { className: `live live-${name}`, role: "group" });
  root.setAttribute("aria-label", label);
  root.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab listens before the figure
  root.addEventListener("keydown", (event) => event.key !== "Escape" && event.stopPropagation());
  followTheme(root);
  return root;
}

// Each host says in its own way that it is dark; all of them write in a light color then.
function followTheme(root) {
  const look = () => {
    if (!root.isConnected) return observer.disconnect();
    root.classList.remove("live-dark");
    const [red, green, blue] = getComputedStyle(root)
      .color.match(/[\d.]+/g)
      .map(Number);
    root.classList.toggle("live-dark", 0.3 * red + 0.6 * green + 0.1 * blue > 140);
  };
  const observer = new MutationObserver(look);
  for (const place of [document.documentElement, document.body]) {
    observer.observe(place, { attributes: true });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", look);
  requestAnimationFrame(look);
}

export const lessMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// A line that is shown at once, and read aloud once the reader's hand has come to rest.
export function answer(parent) {
  const shown = element(parent, "p", { className: "live-answer" });
  shown.setAttribute("aria-hidden", "true");
  const spoken = element(parent, "p", { className: "live-spoken", role: "status" });
  spoken.setAttribute("aria-live", "polite");
  let timer;
  return (text, inFull = text) => {
    shown.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => (spoken.textContent = inFull), 400);
  };
}

// A slider with its name before and its value behind it; `values`, where given, are its steps.
export function slider(parent, { label, min, max, step, value, values, format, change }) {
  const row = element(parent, "label", { className: "live-slider" });
  element(row, "span", { text: label });
  const range = values ? { min: 0, max: values.length - 1, step: 1 } : { min, max, step };
  const input = element(row, "input", { type: "range", ...range });
  const output = element(row, "output", {});
  const read = () => (values ? values[input.value] : Number(input.value));
  const show = () => {
    output.textContent = minus(format(read()));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  const write = (next) => {
    input.value = values ? values.indexOf(next) : next;
    show();
  };
  write(value);
  input.addEventListener("input", () => {
    show();
    change(read());
  });
  return { row, input, read, write };
}

let groups = 0;
export function choice(parent, { label, options, value, change }) {
  const group = element(parent, "fieldset", { className: "live-choice" });
  element(group, "legend", { text: label });
  const name = `live-choice-${groups++}`;
  for (const option of options) {
    const row = element(group, "label");
    const input = element(row, "input", { type: "radio", name, value: option });
    input.checked = option === value;
    element(row, "span", { text: option });
    input.addEventListener("change", () => change(option));
  }
  return group;
}

export function button(parent, text, click) {
  const made = element(parent, "button", { type: "button", text });
  made.addEventListener("click", click);
  return made;
}

export const minus = (text) => text.replace("-", "−");

// Rows of a name, a bar from 0 to 1, and a number.
export function bars(parent, names) {
  const list = element(parent, "div", { className: "live-bars" });
  const rows = names.map((name) => {
    const row = element(list, "div", { className: "live-bar" });
    element(row, "span", { text: name });
    const track = element(row, "div", { className: "live-track" });
    return { row, fill: element(track, "div"), number: element(row, "span") };
  });
  return (values, best) => {
    rows.forEach(({ row, fill, number }, index) => {
      const value = values?.[index];
      fill.style.width = `${100 * Math.min(1, Math.max(0, value ?? 0))}%`;
      number.textContent = value === undefined ? "" : minus(value.toFixed(2));
      row.classList.toggle("live-best", index === best);
    });
  };
}

// Ink on paper, 0 to 1; or, with `signed`, blue for positive and orange for negative numbers.
const BLUE = [0, 88, 138];
const ORANGE = [199, 82, 0];
export function paint(context, values, width, height, { x = 0, y = 0, signed = false } = {}) {
  const pixels = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const color = signed ? (values[i] < 0 ? ORANGE : BLUE) : [0, 0, 0];
    const share = Math.min(1, Math.abs(values[i]));
    for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = 255 - share * (255 - color[c]);
    pixels.data[4 * i + 3] = 255;
  }
  context.putImageData(pixels, x, y);
}

export function canvas(parent, width, height, label) {
  const made = element(parent, "canvas", { width, height, role: "img" });
  made.setAttribute("aria-label", label);
  return made;
}

// Numbers that Python, or the website's page, hands over as bytes.
export const floats = (view) => new Float32Array(bytes(view).buffer);
export const bytes = (view) =>
  new Uint8Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

// ---- the network

const each = (f) => (sums) => sums.map(f);
export const ACTIVATIONS = {
  identity: each((z) => z),
  relu: each((z) => Math.max(0, z)),
  leaky_relu: each((z) => (z < 0 ? 0.01 * z : z)),
  sigmoid: each((z) => 1 / (1 + Math.exp(-z))),
  tanh: each(Math.tanh),
  softmax: (sums) => {
    const largest = Math.max(...sums); // the same shares, and nothing overflows
    const powers = sums.map((z) => Math.exp(z - largest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
  },
};

// `shapes`: [inputs, outputs, activation] of each layer; `numbers`: weights and biases in a row.
export function network(shapes, numbers) {
  let start = 0;
  return shapes.map(([inputs, outputs, activation]) => {
    const weights = numbers.subarray(start, (start += inputs * outputs));
    const biases = numbers.subarray(start, (start += outputs));
    // Input by input, as `forward` goes through them: three times as quick.
    const byInput = Float32Array.from(
      weights,
      (_, i) => weights[(i % outputs) * inputs + Math.trunc(i / outputs)],
    );
    return { inputs, outputs, activation: ACTIVATIONS[activation], weights, byInput, biases };
  });
}

// What the neurons of each layer give for an image.
export function forward(layers, image) {
  let values = image;
  return layers.map(({ inputs, outputs, activation, byInput, biases }) => {
    const sums = new Float64Array(biases);
    for (let input = 0; input < inputs; input++) {
      const value = values[input];
      if (value === 0) continue; // most pixels are paper
      for (let output = 0, i = input * outputs; output < outputs; output++, i++) {
        sums[output] += value * byInput[i];
      }
    }
    values = activation(sums);
    return values;
  });
}

export const largest = (values) => values.indexOf(Math.max(...values));

// Returns a function of images, and of what they are about. `show` gets what it finds: for each
// image the values of each layer, or null and a message; and what they are about. Where the layers
// are not known here, Python is asked for the last of them.
export function asker(model, show) {
  const shapes = model.get("layers");
  if (shapes.length) {
    const layers = network(shapes, floats(model.get("weights")));
    return (images, about) =>
      show(
        images.map((image) => forward(layers, image)),
        "",
        about,
      );
  }
  let sent, count;
  model.on("change:outputs change:message", () => {
    const outputs = [...floats(model.get("outputs"))];
    const found = Array.from({ length: outputs.length / 10 }, (_, i) => [
      outputs.slice(10 * i, 10 * i + 10),
    ]);
    const message = model.get("message");
    if (message) show(null, message, sent);
    else if (found.length === count) show(found, "", sent); // or it answers an older question
  });
  let timer;
  return (images, about) => {
    clearTimeout(timer); // while one draws, not for each point
    timer = setTimeout(() => {
      const all = new Float32Array(images.length * 784);
      images.forEach((image, i) => all.set(image, 784 * i));
      [sent, count] = [about, images.length];
      model.set("asked", new DataView(all.buffer));
      model.save_changes();
    }, 60);
  };
}

// Images of which one is chosen: on the picture itself, or with the slider above it.
export function picker(parent, { label, images, name, change }) {
  const count = images.length;
  const { input, write } = slider(parent, {
    ...{ label, min: 1, max: count, step: 1, value: 1, format: String },
    change: (value) => choose(value - 1),
  });
  const across = Math.min(count, 10);
  const down = Math.ceil(count / across);
  const row = canvas(parent, 30 * across, 30 * down, "The images to choose from");
  row.className = "live-picker";
  const context = row.getContext("2d");
  const show = (index) => {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, row.width, row.height);
    const place = (i) => [30 * (i % across) + 1, 30 * Math.trunc(i / across) + 1];
    images.forEach((image, i) => {
      const [x, y] = place(i);
      paint(context, image, 28, 28, { x, y });
    });
    Object.assign(context, { strokeStyle: "#c75200", lineWidth: 2 });
    context.strokeRect(...place(index), 28, 28);
    input.setAttribute("aria-valuetext", name(index));
  };
  const choose = (index) => {
    show(index);
    change(index);
  };
  row.addEventListener("click", (event) => {
    const box = row.getBoundingClientRect();
    const column = Math.trunc(((event.clientX - box.left) / box.width) * across);
    const line = Math.trunc(((event.clientY - box.top) / box.height) * down);
    const index = Math.min(count - 1, line * across + Math.min(across - 1, column));
    write(index + 1);
    choose(index);
  });
  show(0);
}
