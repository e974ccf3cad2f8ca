// Softmax: ten numbers to drag, ten shares beside them.

import { ACTIVATIONS, answer, button, element, frame, largest, slider } from "./shared.js";

export const { softmax } = ACTIVATIONS;

const percent = (share) => (share > 0 && share < 0.001 ? "<0.1%" : `${(100 * share).toFixed(1)}%`);

function render({ model, el }) {
  const first = model.get("numbers");
  const numbers = [...first];
  const root = frame(el, "softmax", "Softmax: ten numbers to change, and the share of each");
  const head = element(root, "div", { className: "live-pair live-head" });
  element(head, "span", { text: "ten numbers of any size" });
  element(head, "span", { text: "after softmax" });
  const low = Math.min(-5, Math.floor(Math.min(...numbers)));
  const high = Math.max(8, Math.ceil(Math.max(...numbers)));
  const rows = numbers.map((value, digit) => {
    const row = element(root, "div", { className: "live-pair" });
    const change = (next) => {
      numbers[digit] = next;
      show();
    };
    const format = (number) => number.toFixed(1);
    const range = slider(row, {
      label: `${digit}`,
      min: low,
      max: high,
      step: 0.1,
      value,
      format,
      change,
    });
    range.input.setAttribute("aria-label", `the number of digit ${digit}`);
    const share = element(row, "div", { className: "live-bar" });
    const fill = element(element(share, "div", { className: "live-track" }), "div");
    return { range, share, fill, number: element(share, "span") };
  });
  const say = answer(root);
  button(root, "Back to the first numbers", () => {
    numbers.splice(0, 10, ...first);
    rows.forEach(({ range }, digit) => range.write(first[digit]));
    show();
  });

  function show() {
    const shares = softmax(numbers);
    const best = largest(shares);
    rows.forEach(({ share, fill, number }, digit) => {
      fill.style.width = `${100 * shares[digit]}%`;
      number.textContent = percent(shares[digit]);
      share.classList.toggle("live-best", digit === best);
    });
    say(`The ${best} has the largest share, ${percent(shares[best])}; the ten add up to 100%.`);
  }
  show();
}

export default { render };
