"use strict";
/**
 * The linked charts of a report: empty bokeh figures from Python, filled here and moved with the strength.
 *
 * One global, `charts`. `charts.mount(study, hooks)` gives a panel for each figure of the page. What a chart
 * shows is a drawing, {draw(sheet, study, state), table(study, state)}, and strength(x, sheet, study, state)
 * where a click asks for one; `charts.add` adds it by its name (charts_risk.js, charts_columns.js,
 * charts_network.js). Needs BokehJS, frame.js, maths.js and figures.js. A figure is never made anew: only data,
 * marks and ranges change.
 */
globalThis.charts = (() => {
  const [LETTER, SAMPLE, LINE] = [6.6, 34, 22]; // pixels of a letter, a sample and a line of a legend
  const TURNS = 200; // more promises than follow on each other when data are set
  const DRESS = `:host { --background-color: var(--paper); --color: var(--ink); --divider-color: var(--grid);
    --bokeh-icon-color: var(--muted); }
    canvas { clip-path: inset(1px 0 0 1px); }`; // colours of the page; an edge that BokehJS does not wipe
  const drawings = new Map();
  const panels = new Map();

  /** Add what one chart shows. */
  function add(name, drawing) {
    drawings.set(name, drawing);
  }

  /** Let what BokehJS makes of HTML, such as the words at the pointer, have the colours of the page. */
  function dress(view) {
    if (view.model.properties.stylesheets) view.model.stylesheets = [DRESS];
    for (const child of view.children_views()) dress(child);
  }

  /** Take the figure out of the order of the tabulator: it is hidden from screen readers. */
  function unfocus(root) {
    for (const element of root.querySelectorAll("*")) {
      if (element.hasAttribute("tabindex")) element.tabIndex = -1;
      if (element.shadowRoot) unfocus(element.shadowRoot);
    }
  }

  // --- the panels -------------------------------------------------------------------------------------

  /**
   * Put the figures of `#charts` into their boxes.
   *
   * @param {Object} study  of study.js
   * @param {{onAlpha: function(number), onHighlight: function(number[])}} hooks  what a click asks for
   * @returns {Array<{name: string, show: function, theme: function, ready: Promise}>}
   */
  function mount(study, hooks = {}) {
    Bokeh.logger.set_level("warn");
    const items = JSON.parse(document.getElementById("charts").textContent);
    for (const item of items) panels.set(item.target_id.slice("chart-".length), panelOf(item, hooks));
    for (const panel of panels.values()) panel.last = [study, null];
    return [...panels.values()];
  }

  function panelOf(item, hooks) {
    const name = item.target_id.slice("chart-".length);
    const box = document.getElementById(item.target_id);
    const panel = { name, box, last: null, sheet: null, seen: true, stale: true };
    panel.show = (study, state) => {
      panel.last = [study, { ...state }];
      panel.stale = true;
      if (panel.seen) paint(panel);
    };
    panel.theme = () => {
      if (!panel.sheet) return;
      figures.tint(panel.sheet.figure);
      panel.sheet.forget();
      paint(panel);
      onPaper(panel);
    };
    panel.ready = Bokeh.embed.embed_item(item).then((views) => begin(panel, views.roots[0], hooks));
    return panel;
  }

  function begin(panel, view, hooks) {
    panel.view = view;
    panel.sheet = figures.sheetOf(view);
    const { figure } = panel.sheet;
    const again = () => figures.label(panel.sheet);
    for (const range of [figure.x_range, figure.y_range, panel.sheet.known("rise")]) range?.change.connect(again);
    for (const side of ["inner_width", "inner_height"]) {
      figure.properties[side].change.connect(() => { fold(panel); again(); paint(panel); });
    }
    figure.on_event("tap", (event) => tapped(panel, event.x, hooks));
    dress(view);
    unfocus(panel.box);
    watch(panel);
    fold(panel);
    panel.theme();
    again();
  }

  /** Draw only what is seen, and the rest when it comes into sight. */
  function watch(panel) {
    new IntersectionObserver((changes) => {
      panel.seen = changes[changes.length - 1].isIntersecting;
      if (panel.seen && panel.stale) paint(panel);
    }, { rootMargin: "25%" }).observe(panel.box);
  }

  /** A legend in one column where two would not fit; the figure grows by its lines. */
  function fold(panel) {
    const legend = panel.sheet.known("legend");
    if (!legend) return;
    const longest = Math.max(...legend.items.map((item) => item.label.value.length));
    const columns = panel.view.bbox.width < 2 * (longest * LETTER + SAMPLE) + 60 ? 1 : 2;
    const more = columns === 1 ? Math.floor(legend.items.length / 2) * LINE : 0;
    panel.height ??= panel.sheet.figure.height;
    if (legend.ncols !== columns) legend.ncols = columns;
    if (panel.sheet.figure.height !== panel.height + more) panel.sheet.figure.height = panel.height + more;
  }

  function paint(panel) {
    if (!panel.sheet || !panel.last[1]) return;
    panel.stale = false;
    drawings.get(panel.name).draw(panel.sheet, ...panel.last);
  }

  /** A click asks for the strength under it, where the drawing has one there. */
  function tapped(panel, x, { onAlpha = () => {} }) {
    const { strength } = drawings.get(panel.name);
    const alpha = strength && panel.last[1] ? strength(x, panel.sheet, ...panel.last) : NaN;
    if (alpha > 0 && Number.isFinite(alpha)) onAlpha(Number(alpha.toPrecision(4)));
  }

  // --- what a figure is besides -----------------------------------------------------------------------

  /** The figure as it is now as a picture, "png" or "svg". */
  async function exported(name, kind) {
    const panel = panels.get(name);
    await panel.ready;
    paint(panel);
    await settled(panel);
    if (kind === "png") return new Promise((resolve) => { pictured(panel).toBlob(resolve, "image/png"); });
    const text = await panel.view.export("svg").to_blob().then((blob) => blob.text());
    const drawn = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    const back = { width: "100%", height: "100%", fill: panel.sheet.color("--paper") };
    drawn.prepend(frame.set(document.createElementNS(drawn.namespaceURI, "rect"), back));
    return new Blob([new XMLSerializer().serializeToString(drawn)], { type: "image/svg+xml" });
  }

  /** BokehJS takes data and colours up in promises that wait for no timer: let them pass, before printing too. */
  async function settled(panel) {
    for (let turn = 0; turn < TURNS; turn++) await null;
    panel.view.paint(); // the samples of a legend are taken over as they are on the screen
  }

  /** The figure as it is now on a canvas of its own, on paper. */
  function pictured(panel) {
    const { canvas } = panel.view.export("png");
    const whole = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
    const context = whole.getContext("2d");
    context.fillStyle = panel.sheet.color("--paper");
    context.fillRect(0, 0, whole.width, whole.height);
    context.drawImage(canvas, 0, 0);
    return whole;
  }

  /** On paper a picture of the figure stands in for it, which the paper can shrink. */
  async function onPaper(panel) {
    await settled(panel);
    const printing = document.documentElement.classList.contains("printing");
    const before = panel.box.querySelector(":scope > canvas");
    if (printing === Boolean(before)) return;
    if (printing) {
      const picture = pictured(panel);
      picture.style.cssText = "display: block; max-width: 100%; height: auto;";
      panel.box.append(picture);
    } else before.remove();
    panel.view.el.style.display = printing ? "none" : "";
  }

  /** What a figure shows at the present strength, as {heads, rows} of text and numbers. */
  function table(name) {
    const [study, state] = panels.get(name).last;
    return state === null ? { heads: [], rows: [] } : drawings.get(name).table(study, state);
  }

  function theme() {
    for (const panel of panels.values()) panel.theme();
  }

  return Object.freeze({ add, mount, table, theme, export: exported, names: () => [...panels.keys()] });
})();
