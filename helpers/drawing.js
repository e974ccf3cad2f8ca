// The canvas of DrawDigit: sends the ink to Python, shows what comes back.

function element(parent, tag, className, text = "") {
  const child = document.createElement(tag);
  child.className = className;
  child.textContent = text;
  parent.append(child);
  return child;
}

function render({ model, el }) {
  const size = model.get("size");
  const root = element(el, "div", "draw-digit");

  const left = element(root, "div", "");
  const paper = element(left, "canvas", "paper");
  paper.setAttribute("aria-label", "Canvas: draw a digit with mouse, finger or pen");
  paper.width = paper.height = size;
  const ink = paper.getContext("2d", { willReadFrequently: true });
  const controls = element(left, "div", "controls");
  const clear = element(controls, "button", "clear", "Clear");
  const label = element(controls, "label", "");
  const centered = element(label, "input", "centered");
  centered.type = "checkbox";
  centered.checked = model.get("centered");
  label.append(" center and scale as in MNIST");

  const middle = element(root, "div", "");
  element(middle, "div", "", "What the network sees");
  const seen = element(middle, "canvas", "seen");
  seen.setAttribute("aria-label", "The drawing as the 28 by 28 pixels that the network sees");
  seen.width = seen.height = 28;

  const right = element(root, "div", "");
  const answer = element(right, "p", "answer", "Draw a digit.");
  answer.setAttribute("aria-live", "polite");
  const bars = [...Array(10).keys()].map((digit) => {
    const bar = element(right, "div", "bar");
    element(bar, "span", "", digit);
    const fill = element(element(bar, "div", "track"), "div", "fill");
    return { bar, fill, number: element(bar, "span", "") };
  });

  function send() {
    const pixels = ink.getImageData(0, 0, size, size).data;
    const alpha = new Uint8Array(size * size);
    for (let i = 0; i < alpha.length; i++) alpha[i] = pixels[4 * i + 3];
    model.set("drawing", new DataView(alpha.buffer));
    model.save_changes();
  }

  let last = null;
  let lastSent = 0;
  function place(event) {
    const box = paper.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * size, ((event.clientY - box.top) / box.height) * size];
  }
  function stroke(event) {
    const next = place(event);
    ink.lineWidth = size / 13;
    ink.lineCap = ink.lineJoin = "round";
    ink.beginPath();
    ink.moveTo(...(last ?? next));
    ink.lineTo(...next);
    ink.stroke();
    last = next;
    if (event.timeStamp - lastSent > 80) {
      lastSent = event.timeStamp;
      send();
    }
  }
  paper.addEventListener("pointerdown", (event) => {
    paper.setPointerCapture(event.pointerId);
    stroke(event);
  });
  paper.addEventListener("pointermove", (event) => last && stroke(event));
  for (const end of ["pointerup", "pointercancel"]) {
    paper.addEventListener(end, () => {
      last = null;
      send();
    });
  }
  clear.addEventListener("click", () => {
    ink.clearRect(0, 0, size, size);
    send();
  });
  centered.addEventListener("change", () => {
    model.set("centered", centered.checked);
    model.save_changes();
  });

  function showOutputs() {
    const outputs = model.get("outputs");
    const best = outputs.indexOf(Math.max(...outputs));
    const said = outputs.length ? `The network says: ${best}` : "Draw a digit.";
    answer.textContent = model.get("message") || said;
    bars.forEach(({ bar, fill, number }, digit) => {
      const output = outputs[digit] ?? 0;
      bar.classList.toggle("best", outputs.length > 0 && digit === best);
      fill.style.width = `${100 * Math.min(1, Math.max(0, output))}%`;
      number.textContent = outputs.length ? output.toFixed(2) : "";
    });
  }
  function showImage() {
    const image = model.get("image");
    const context = seen.getContext("2d");
    context.clearRect(0, 0, 28, 28);
    if (!image?.byteLength) return;
    const pixels = context.createImageData(28, 28);
    for (let i = 0; i < 784; i++) pixels.data[4 * i + 3] = image.getUint8(i);
    context.putImageData(pixels, 0, 0);
  }
  model.on("change:outputs change:message", showOutputs);
  model.on("change:image", showImage);
  showOutputs();
  showImage();
}

export default { render };
