"use strict";
/**
 * The two drawings of the report in a plane that the reader picks: where ellipses touch circles (M10), and
 * the three steps (M7).
 *
 * `mount` gives two panels, each with `show(study, state)`; `export` and `table` answer for what they show.
 * Whatever comes from data is put in as text.
 */
globalThis.plane = (() => {
  const { draw, set, number, short } = frame;
  const RINGS = 6; // about as many between the middle of a family and the far end of the path
  const QUIET = 500; // milliseconds without change before a change is read out
  const GROUPS = { directions: "Two directions", columns: "Two weights" };
  const TABLES = { contour: reading.contourTable, steps: reading.stepsTable };
  const shown = new Map(); // name -> {root, seen, said}

  /** The parts of a figure by their names: what `report/drawings.py` made. */
  function parts(figure) {
    return Object.fromEntries(Array.from(figure.querySelectorAll("[data-part]"), (one) => [one.dataset.part, one]));
  }

  /**
   * Make the drawings.
   *
   * @param {{contour: Element, steps: Element}} elements  figures; either may be missing
   * @param {Object} study  of `live.open`
   * @param {{onPlane: function(string): void, onAlpha: function(number): void}} handlers
   * @returns {{show: function(Object, Object): void}[]}
   */
  function mount(elements, study, { onPlane = () => {}, onAlpha = () => {} } = {}) {
    const look = reading.looker(study);
    const made = [];
    if (elements.contour) made.push(contour(parts(elements.contour), look, onPlane, onAlpha));
    if (elements.steps) made.push(steps(parts(elements.steps), look));
    return made;
  }

  // --- the contour picture ----------------------------------------------------------------------------

  function contour(own, look, onPlane, onAlpha) {
    const [flat, single] = [0, 1].map(() => draw(own.picture, "g"));
    const touching = scenes.contour(flat, "contour", { rings: RINGS });
    const parabolas = scenes.parabolas(single, "parabolas");
    const fill = selection(own.planes, onPlane);
    let seen = null;
    slide(own.picture, touching.path, () => seen, onAlpha);
    own.behind.addEventListener("toggle", () => tabulate(own, "contour"));
    function show(study, state) {
      seen = look(state);
      fill(study.planes(state.target), state.target, seen.asked);
      own.asked.hidden = !seen.asked;
      reveal(own.picture, { plane: flat, line: single }, seen.kind);
      if (seen.window) note(own.picture, seen.window);
      if (seen.kind === "plane") touching.redraw(seen);
      if (seen.kind === "line") parabolas(seen);
      legend(own, seen);
      own.note.textContent = seen.note || "";
      own.told.textContent = reading.told(seen);
      remember("contour", own, seen);
    }
    return { show };
  }

  /** Let only the one group stand in a drawing that has something to say; hide it where none has. */
  function reveal(picture, groups, kind) {
    picture.toggleAttribute("hidden", !groups[kind]);
    for (const [name, group_] of Object.entries(groups)) {
      if (name !== kind) group_.remove();
      else if (group_.parentNode !== picture) picture.append(group_);
    }
  }

  /** Which part of the plane a drawing shows, for whoever reads numbers off it. */
  function note(picture, { low, high }) {
    set(picture, { "data-low": low.join(" "), "data-high": high.join(" ") });
  }

  /** Fill the list of planes where it has changed, and show which one is drawn. */
  function selection(select, onPlane) {
    select.addEventListener("change", () => onPlane(select.value));
    let filled = null;
    return (planes, target, one) => {
      if (filled !== target) {
        filled = target;
        select.replaceChildren(...Object.keys(GROUPS).map((kind) => group(kind, planes)).filter(Boolean));
      }
      if (one) select.value = one.id;
    };
  }

  function group(kind, planes) {
    const mine = planes.filter((one) => one.kind === kind);
    if (!mine.length) return null;
    const made = document.createElement("optgroup");
    made.label = GROUPS[kind];
    for (const { id, label } of mine) {
      const option = document.createElement("option");
      option.value = id;
      option.textContent = short(label, 44);
      option.title = label;
      made.append(option);
    }
    return made;
  }

  /** Let w̃ be moved along its path: by mouse and by finger; by keyboard the strength has its slider. */
  function slide(root, path, seen, onAlpha) {
    path.classList.add("live");
    const move = (event) => {
      const now = seen();
      const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(root.getScreenCTM().inverse());
      onAlpha(reading.nearest(now, now.window.from([x, y])));
    };
    path.addEventListener("pointerdown", (event) => {
      path.setPointerCapture(event.pointerId);
      event.preventDefault();
      move(event);
    });
    // A finger on the path does not scroll the page: touch-action is not heard inside of an SVG.
    path.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    path.addEventListener("pointermove", (event) => {
      if (path.hasPointerCapture(event.pointerId)) move(event);
    });
  }

  /** Say only what is drawn. */
  function legend(own, seen) {
    own.legend.hidden = !seen.eigenvalues;
    const there = {
      penalty: true, path: seen.kind === "plane", believed: Boolean(seen.believed), held: Boolean(seen.held),
      marks: seen.kind === "plane" && seen.marks.length > 0, first: seen.kind === "plane", second: seen.kind === "plane",
      sum: seen.kind === "line",
    };
    for (const [name, yes] of Object.entries(there)) own[`key-${name}`].hidden = !yes;
    if (!seen.eigenvalues) return;
    own.says.textContent = seen.says;
    for (const [i, name] of ["first", "second"].entries()) {
      own[name].textContent = short(seen.directions[i], 40);
      own[name].title = seen.directions[i];
    }
    own.other.textContent = seen.asked && seen.asked.kind === "columns" ? "these two, the others held" : "the quadratic that is drawn";
  }

  // --- the three steps --------------------------------------------------------------------------------

  function steps(own, look) {
    const group_ = draw(own.picture, "g");
    const redraw = scenes.steps(group_, "steps");
    let [time, seen, waiting] = [3, null, 0];
    const clock = motion.player(own, { get: () => time, move, rest });
    own.behind.addEventListener("toggle", () => tabulate(own, "steps"));
    function move(wanted) {
      time = wanted;
      paint();
    }
    function rest() {
      clearTimeout(waiting);
      waiting = setTimeout(() => { own.announced.textContent = own.told.textContent; }, QUIET);
    }
    function paint() {
      const drawn = Boolean(seen.eigenvalues);
      reveal(own.picture, { yes: group_ }, drawn ? "yes" : "no");
      for (const control of [own.play, own.back, own.on, own.time]) control.disabled = !drawn;
      if (!drawn) {
        clock.stop();
        own.told.textContent = reading.told(seen);
        return remember("steps", own, seen);
      }
      const { eigenvalues, Q, minimiser, alpha } = seen;
      const names = seen.line ? ["the only direction", ""] : seen.names;
      const now = { ...seen, window: seen.stage, names, time, moved: shrink.threeSteps(eigenvalues, Q, minimiser, alpha, time) };
      note(own.picture, now.window);
      redraw(now);
      own.time.value = time;
      own.told.textContent = scenes.told(now) + reading.beyond(now.window, minimiser);
      set(own.time, { "aria-valuetext": own.told.textContent });
      return remember("steps", own, seen);
    }
    function show(_, state) {
      seen = look(state);
      paint();
    }
    return { show };
  }

  // --- the numbers behind, and files ------------------------------------------------------------------

  function remember(name, own, seen) {
    shown.set(name, { root: own.picture, seen, said: own.told.textContent });
    if (own.behind.open) tabulate(own, name);
  }

  /** The numbers behind a drawing, "contour" or "steps": {heads, rows} of texts and numbers. */
  function table(name) {
    return TABLES[name](shown.get(name).seen);
  }

  /** Write them into the folded table; only while it is open. */
  function tabulate(own, name) {
    if (!own.behind.open || !shown.has(name)) return;
    const { rows } = table(name);
    own.rows.replaceChildren(...rows.map(([what, along, value]) => {
      const row = document.createElement("tr");
      row.append(cell("th", what), cell("td", along), cell("td", number(value, 9)));
      row.firstChild.scope = "row";
      row.lastChild.className = "number";
      row.lastChild.dataset.value = String(value);
      return row;
    }));
  }

  function cell(kind, text) {
    const made = document.createElement(kind);
    made.textContent = text;
    return made;
  }

  /** A drawing as a file, "svg" or "png", with its sentence under it: a promise of a Blob. */
  function export_(name, kind) {
    const { root, said } = shown.get(name);
    return saving.picture(root, kind, said);
  }

  return Object.freeze({ mount, table, export: export_ });
})();
