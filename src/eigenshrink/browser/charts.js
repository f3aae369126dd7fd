"use strict";
/**
 * The linked charts of a report: empty bokeh figures from Python, filled here and moved with the strength.
 *
 * One global, `charts`. `charts.mount(study, hooks)` gives a panel for each figure of the page; what a chart
 * shows is a drawing, {draw(sheet, study, state), table(study, state)}, added by its name with `charts.add`
 * (charts_columns.js, charts_network.js). Needs BokehJS, frame.js, maths.js and figures.js. A figure is never made anew:
 * only data, marks and ranges change.
 */
globalThis.charts = (() => {
  const NARROW = 520; // pixels below which a legend has one column
  const drawings = new Map();
  const panels = new Map();

  /** Add what one chart shows. */
  function add(name, drawing) {
    drawings.set(name, drawing);
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
    const panel = { name, last: null, sheet: null, box: document.getElementById(item.target_id) };
    panel.show = (study, state) => {
      panel.last = [study, { ...state }];
      if (panel.sheet) paint(panel);
    };
    panel.theme = () => {
      if (!panel.sheet) return;
      figures.tint(panel.sheet.figure);
      panel.sheet.forget();
      if (panel.last[1]) paint(panel);
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
      figure.properties[side].change.connect(() => { fold(panel); again(); });
    }
    figure.on_event("tap", (event) => tapped(panel, event.x, hooks));
    unfocus(panel.box);
    fold(panel);
    panel.theme();
    again();
  }

  /** A legend in one column where two would not fit. */
  function fold(panel) {
    const legend = panel.sheet.known("legend");
    const columns = panel.view.bbox.width < NARROW ? 1 : 2;
    if (legend && legend.ncols !== columns) legend.ncols = columns;
  }

  function paint(panel) {
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
    return panel.view.export(kind).to_blob();
  }

  /** On paper a picture of the figure stands in for it, which the paper can shrink. */
  function onPaper(panel) {
    const printing = document.documentElement.classList.contains("printing");
    for (const old of panel.box.querySelectorAll(":scope > canvas")) old.remove();
    panel.view.el.style.display = printing ? "none" : "";
    if (!printing) return;
    panel.view.el.style.display = "";
    const picture = panel.view.export("png").canvas;
    picture.style.cssText = "display: block; max-width: 100%; height: auto;";
    panel.view.el.style.display = "none";
    panel.box.append(picture);
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
