"use strict";
/**
 * What every figure of a report has besides its picture: the numbers behind it, and files of it.
 *
 * One global, `frames`.
 */
globalThis.frames = (() => {
  const { make } = tables;
  const KINDS = ["png", "svg"];
  const RESTED = 150; // milliseconds without a change after which open tables are written anew

  /** Hand a file to the reader. */
  function download(name, blob) {
    const address = URL.createObjectURL(blob);
    const link = make(document.body, "a", "", { href: address, download: name, hidden: "" });
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  /** Buttons below a figure that save it; `exported(kind)` promises a Blob. */
  function savers(figure, name, exported) {
    const title = figure.querySelector("h3").textContent;
    const row = make(figure, "div", "", { class: "buttons save" });
    for (const kind of KINDS) {
      const words = { type: "button", "data-export": kind, "aria-label": `${title}: save as ${kind.toUpperCase()}` };
      const button = make(row, "button", kind.toUpperCase(), words);
      button.addEventListener("click", async () => download(`${name}.${kind}`, await exported(kind)));
    }
  }

  /** The table behind a chart: written when it is opened, and anew as the strength comes to rest. */
  function behind(details, name) {
    const place = details.querySelector(".scroll");
    const caption = details.closest("figure").querySelector("h3").textContent;
    let timer = 0;
    const write = () => tables.fill(place, { caption, ...charts.table(name) });
    details.addEventListener("toggle", () => { if (details.open) write(); });
    return () => {
      clearTimeout(timer);
      if (details.open) timer = setTimeout(write, RESTED);
    };
  }

  /** A click, or a drag in the plane, asks the state for something; panels of all figures of the page. */
  function mount(study, state) {
    const onAlpha = (alpha) => { if (controls.legal(study, alpha)) state.set({ alpha }); };
    const drawn = { contour: by("contour"), steps: by("steps") };
    const planes = plane.mount(drawn, study, { onAlpha, onPlane: (id) => state.set({ plane: id }) });
    const linked = charts.mount(study, { onAlpha, onHighlight: (highlight) => state.set({ highlight }) });
    for (const [name, figure] of Object.entries(drawn)) {
      if (figure) savers(figure, name, (kind) => plane.export(name, kind));
    }
    for (const { name } of linked) savers(by(name), name, (kind) => charts.export(name, kind));
    const written = Array.from(document.querySelectorAll("[data-behind]"), (each) => behind(each, each.dataset.behind));
    return [...planes, ...linked, { show: () => written.forEach((write) => write()) }];
  }

  const by = (name) => document.getElementById(`figure-${name}`);

  return Object.freeze({ mount, download });
})();
