// A digit shifted, turned and made noisy; what the network says of it, and where that changes.

import {
  answer,
  asker,
  bars,
  bytes,
  canvas,
  element,
  frame,
  largest,
  paint,
  picker,
  slider,
} from "./shared.js";

const MIDDLE = 13.5;
const KINDS = {
  shift: { label: "shift", min: -8, max: 8, step: 0.5, format: (x) => `${x} pixels` },
  turn: { label: "turn", min: -90, max: 90, step: 5, format: (x) => `${x}°` },
  noise: { label: "noise", min: 0, max: 0.6, step: 0.02, format: (x) => x.toFixed(2) },
};
const LEVELS = Object.fromEntries(
  Object.entries(KINDS).map(([kind, { min, max, step }]) => [
    kind,
    Array.from({ length: Math.round((max - min) / step) + 1 }, (_, i) => min + i * step),
  ]),
);

// Random numbers of mean 0 and standard deviation 1, the same for the same image each time.
export function grain(seed, count = 784) {
  let state = seed + 1;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0; // mulberry32
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return Float64Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  );
}

// Turned about its middle (clockwise) and moved to the right; the rest of the sheet is 0.
function moved(image, { shift, turn }) {
  if (shift === 0 && turn === 0) return image;
  const angle = (turn * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return Float32Array.from({ length: 784 }, (_, i) => {
    const x = (i % 28) - MIDDLE - shift;
    const y = Math.trunc(i / 28) - MIDDLE;
    return between(image, cos * x + sin * y + MIDDLE, cos * y - sin * x + MIDDLE);
  });
}

const noisy = (image, noise, noises) =>
  noise === 0
    ? image
    : image.map((value, i) => Math.max(0, Math.min(1, value + noise * noises[i])));

export const disturbed = (image, how, noises) => noisy(moved(image, how), how.noise, noises);

// The value between four pixels, in proportion to how near they are.
function between(image, column, row) {
  if (column < 0 || row < 0 || column > 27 || row > 27) return 0;
  const left = Math.min(26, Math.trunc(column));
  const top = Math.min(26, Math.trunc(row));
  const [x, y] = [column - left, row - top];
  const at = top * 28 + left;
  const upper = image[at] * (1 - x) + image[at + 1] * x;
  const lower = image[at + 28] * (1 - x) + image[at + 29] * x;
  return upper * (1 - y) + lower * y;
}

function render({ model, el }) {
  const pixels = bytes(model.get("images"));
  const digits = model.get("digits");
  const images = digits.map((_, i) =>
    Float32Array.from(pixels.subarray(784 * i, 784 * (i + 1)), (gray) => gray / 255),
  );
  const state = { index: 0, shift: 0, turn: 0, noise: 0 };
  let noises = grain(0);

  const root = frame(el, "disturb", "A digit to shift, to turn and to make noisy");
  picker(root, {
    label: "image",
    images,
    name: (i) => `image ${i + 1} of ${images.length}, a ${digits[i]}`,
    change: (index) => {
      state.index = index;
      noises = grain(index);
      show();
    },
  });
  const columns = element(root, "div", { className: "live-columns" });
  const left = element(columns, "div", { className: "live-narrow" });
  const seen = canvas(left, 28, 28, "The disturbed image");
  seen.className = "live-large";
  const right = element(columns, "div");
  const say = answer(right);
  const showBars = bars(right, [...Array(10).keys()].map(String));

  const strips = {};
  const controls = Object.entries(KINDS).map(([kind, options]) => {
    const made = slider(root, {
      ...options,
      value: 0,
      change: (value) => {
        state[kind] = value;
        show();
      },
    });
    strips[kind] = element(root, "div", { className: "live-strip" });
    return made;
  });
  const buttons = element(root, "div", { className: "live-buttons" });
  const reset = element(buttons, "button", { type: "button", text: "Undisturbed" });
  reset.addEventListener("click", () => {
    Object.assign(state, { shift: 0, turn: 0, noise: 0 });
    controls.forEach(({ write }) => write(0));
    show();
  });
  element(root, "p", {
    className: "live-note",
    text: "Below each slider: what the network would say along its way. Orange is wrong.",
  });

  // What stands below a slider holds until the image or another slider changes.
  const known = {}; // kind -> what it holds for, and its words
  const others = (kind) => JSON.stringify({ ...state, [kind]: null });

  function show() {
    const image = images[state.index];
    const place = moved(image, state);
    const now = noisy(place, state.noise, noises);
    const old = Object.keys(KINDS).filter((kind) => known[kind]?.holds !== others(kind));
    const along = old.flatMap((kind) =>
      LEVELS[kind].map((level) =>
        kind === "noise"
          ? noisy(place, level, noises)
          : disturbed(image, { ...state, [kind]: level }, noises),
      ),
    );
    const asked = old.map((kind) => [kind, others(kind)]);
    ask([now, ...along], { digit: digits[state.index], asked });
    paint(seen.getContext("2d"), now, 28, 28);
  }

  function tell(found, message, about) {
    if (!found) {
      showBars();
      say(message);
      return;
    }
    const { digit, asked } = about;
    const [outputs, ...along] = found.map((layers) => layers.at(-1));
    const best = largest(outputs);
    showBars(outputs, best);
    for (const [kind, holds] of asked) {
      const said = along.splice(0, LEVELS[kind].length).map(largest);
      known[kind] = { holds, words: strip(strips[kind], KINDS[kind], LEVELS[kind], said, digit) };
    }
    const verdict = best === digit ? "right" : `wrong: it is a ${digit}`;
    const text = `The network says ${best}, ${verdict}`;
    const flips = Object.keys(KINDS).map((kind) => known[kind].words);
    say(text, `${text}. ${flips.join(". ")}.`);
  }

  const ask = asker(model, tell);
  show();
}

// The answers along a slider, one piece for each stretch of equal answers; returns them in words.
function strip(parent, { label, format }, levels, said, digit) {
  const pieces = [];
  said.forEach((answered, i) => {
    if (pieces.at(-1)?.answered === answered) pieces.at(-1).count++;
    else pieces.push({ answered, count: 1, from: levels[i] });
  });
  parent.replaceChildren(
    ...pieces.map(({ answered, count }) => {
      const piece = document.createElement("span");
      piece.style.flexGrow = count;
      piece.textContent = count > levels.length / 25 ? answered : "";
      piece.className = answered === digit ? "" : "live-wrong";
      return piece;
    }),
  );
  const words = pieces.map(({ answered, from }, i) =>
    i === 0 ? `${answered}` : `${answered} from ${format(Number(from.toFixed(2)))}`,
  );
  return `Along the ${label} it says ${words.join(", ")}`;
}

export default { render };
