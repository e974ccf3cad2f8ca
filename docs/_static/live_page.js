// Makes the pictures on a page live figures, with no kernel: see tools/live_site.py.

globalThis.liveFigures = {}; // name -> {module, data, needs}, from live/NAME.js
globalThis.liveModels = {}; // name -> what the figure reads, as a widget's model would give it

(() => {
  const here = document.currentScript.src;

  // Scripts, because a page that is opened from disk may read nothing else that lies beside it.
  const loading = {};
  function load(name) {
    loading[name] ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      Object.assign(script, { src: new URL(`live/${name}.js`, here), onload: done });
      script.onerror = () => failed(new Error(`${script.src} could not be loaded`));
      document.head.append(script);
    });
    return loading[name].then(() => globalThis.liveFigures[name]);
  }

  function view(base64) {
    const text = atob(base64);
    const bytes = Uint8Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
    return new DataView(bytes.buffer);
  }
  const value = (data) => (data?.base64 === undefined ? data : view(data.base64));

  async function makeLive(place) {
    const { figure, state } = place.dataset;
    const { module, data, needs } = await load(figure);
    const parts = await Promise.all(needs.map(load));
    const all = Object.assign(
      {},
      ...parts.map((part) => part.data),
      data,
      JSON.parse(state ?? "{}"),
    );
    const values = Object.fromEntries(Object.entries(all).map(([name, raw]) => [name, value(raw)]));
    const model = {
      get: (name) => values[name],
      set: (name, next) => (values[name] = next),
      on: () => {},
      save_changes: () => {},
    };
    globalThis.liveModels[figure] = model;
    const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
    const { default: widget } = await import(url);
    const el = document.createElement("div");
    // In the page before it is drawn, so that it knows how wide it is, and the picture after it.
    place.prepend(el);
    widget.render({ model, el });
    place.replaceChildren(el);
  }

  async function makeAllLive() {
    await Promise.all([...document.querySelectorAll(".live-figure")].map(makeLive));
    performance.mark("live figures"); // for whoever measures when a page is ready
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", makeAllLive);
  else makeAllLive();
})();
