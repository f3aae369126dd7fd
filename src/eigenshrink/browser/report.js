"use strict";
/**
 * The report: opens the record, holds the state, and lets every panel show it; runs last.
 *
 * The state is {target, alpha, plane, axis, highlight, direction, search, theme} and `set(changes)`, which
 * draws once per frame. A panel is {show(study, state), theme()}; `theme` may be missing.
 */
(() => {
  const { number, set } = frame;
  const RESTED = 350; // milliseconds without a change after which the sentence is read out
  const by = (id) => document.getElementById(id);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paper = matchMedia("print");
  const record = JSON.parse(by("record").textContent);
  const study = live.open(record);
  const state = {
    target: 0, alpha: study.chosen(0), plane: null, axis: "alpha", highlight: [], direction: null, search: "",
    theme: "light",
    set(changes) {
      Object.assign(state, changes);
      ask();
    },
  };
  const panels = [];
  let asked = 0;
  let rested = 0;

  function ask() {
    if (!asked) asked = requestAnimationFrame(draw);
  }

  /** Show the state everywhere, once. */
  function draw() {
    cancelAnimationFrame(asked);
    asked = 0;
    by("now").setAttribute("aria-busy", "true");
    for (const panel of panels) panel.show(study, state);
    clearTimeout(rested);
    rested = setTimeout(() => by("now").setAttribute("aria-busy", "false"), RESTED);
  }

  // --- light, dark, paper -----------------------------------------------------------------------------

  /** Take the colours of the page up again; on paper they are the light ones. */
  function dress(printing = paper.matches) {
    document.documentElement.classList.toggle("printing", printing);
    state.theme = dark.matches && !printing ? "dark" : "light";
    for (const panel of panels) panel.theme?.(state.theme);
    draw();
  }

  dark.addEventListener("change", () => dress());
  paper.addEventListener("change", () => dress());
  addEventListener("beforeprint", () => dress(true));
  addEventListener("afterprint", () => dress(false));

  // --- the numbers behind the sentence ----------------------------------------------------------------

  /** Names, words and values of everything that is said of the present strength (M1, M9, M14). */
  function facts() {
    const { target, alpha } = state;
    const seen = study.state(target, alpha);
    const listed = [
      ["alpha", "strength α", alpha],
      ["gamma", `parameters in use, γ, of ${number(seen.of, 6)}`, seen.gamma],
      ["train", `training ${study.unit}`, seen.trainLoss],
      ["norm", "length of the weights on the scale of the penalty, ‖w̃‖", seen.norm],
    ];
    if (seen.estimate) listed.splice(3, 0, ["estimate", seen.estimate.label, seen.estimate.value]);
    const intercept = study.intercept(target, alpha);
    if (intercept !== null) listed.push(["intercept", "intercept", intercept]);
    return listed;
  }

  function criteria() {
    return study.criteria(state.target).map(({ name, label, unit, exact }) => {
      const value = study.value(state.target, name, state.alpha);
      return [`criterion:${name}`, `${label}, ${unit}${exact ? "" : ", interpolated"}`, value];
    });
  }

  /** A list of numbers, each with its exact value at hand. */
  function numbers(place, listed) {
    const cells = new Map();
    function show() {
      const found = listed();
      if (found.length !== cells.size || found.some(([name]) => !cells.has(name))) build(found);
      for (const [name, label, value] of found) {
        const [term, cell] = cells.get(name);
        term.textContent = label;
        cell.textContent = number(value, 6);
        set(cell, { title: String(value), "data-value": String(value) });
      }
    }
    function build(found) {
      place.replaceChildren();
      cells.clear();
      for (const [name] of found) {
        const pair = tables.make(place, "div");
        const term = tables.make(pair, "dt");
        cells.set(name, [term, tables.make(pair, "dd", "", { "data-now": name })]);
      }
    }
    return { show };
  }

  // --- the tables -------------------------------------------------------------------------------------

  const percent = (value) => (Number.isNaN(value) ? "–" : `${(100 * value).toFixed(1).replace("-", "−")} %`);
  const names = study.columns.map((column) => column.name);

  const bares = new Map();

  /** Coefficients at the weakest strength there is, computed once for a target. */
  function unregularised(target) {
    if (!bares.has(target)) bares.set(target, study.coefficients(target, controls.ends(study)[0]));
    return bares.get(target);
  }

  /** Estimate at the present strength, s.e. at the chosen one, what is left of no regularisation. */
  function coefficientColumns() {
    const { target, alpha } = state;
    const now = study.coefficients(target, alpha);
    const bare = unregularised(target);
    const errors = study.standardErrors(target);
    const { ratio, free } = by("coefficients-live").dataset;
    const unpenalised = new Set(free.split(" ").filter(Boolean).map(Number));
    const called = names.map((name, i) => (unpenalised.has(i) ? `${name}, not penalised` : name));
    const columns = [
      { head: "column", text: true, values: called },
      { head: "estimate now", live: true, values: now, now: (i) => `coefficient:${study.columns[i].place}` },
    ];
    if (ratio) columns.push({ head: ratio, live: true, values: now.map(Math.exp) });
    if (errors) columns.push({ head: "s.e. at the chosen α", values: errors });
    const weakest = study.weakest === 0 ? "without regularisation" : "at the weakest α";
    const left = Float64Array.from(now, (value, i) => (bare[i] === 0 ? NaN : value / bare[i]));
    columns.push({ head: weakest, values: bare });
    columns.push({ head: "left of it", live: true, values: left, said: percent, share: true });
    return columns;
  }

  function directionColumns() {
    const { target, alpha } = state;
    const every = study.directions(target);
    const columns = [
      { head: "direction", values: every.map((each) => each.number), said: String },
      { head: "eigenvalue λ", values: every.map((each) => each.eigenvalue) },
      { head: "coordinate of w*", values: every.map((each) => each.coordinate) },
      { head: "share kept now", live: true, share: true, values: study.shares(target, alpha), said: percent },
      { head: "made mostly of", text: true, values: every.map((each) => each.made) },
    ];
    if (every.some((each) => each.layers)) {
      columns.splice(4, 0, { head: "layers", text: true, values: every.map((each) => each.layers || "") });
    }
    return columns;
  }

  function coefficients(place) {
    const search = by("coefficient-search");
    const status = by("coefficient-status");
    search.addEventListener("input", () => {
      const highlight = search.value.trim() ? tables.found(names, search.value.trim()) : [];
      state.set({ search: search.value.trim(), highlight });
    });
    const searched = () => (state.search ? tables.found(names, state.search) : []);
    const table = tables.sortable(place, {
      caption: "Coefficients at the present strength",
      columns: coefficientColumns,
      keep: () => (state.search ? searched() : null),
      point: (row) => state.set({ highlight: row === null ? searched() : [row] }),
      pointed: () => (state.search && state.highlight.length > 1 ? [] : state.highlight),
    });
    function show() {
      if (search.value.trim() !== state.search) search.value = state.search;
      status.textContent = state.search ? `${searched().length} of ${names.length} columns` : "";
      table.show(study, state);
    }
    return { show };
  }

  function directions(place) {
    return tables.sortable(place, {
      caption: "Directions at the present strength",
      columns: directionColumns,
      point: (row) => state.set({ direction: row }),
      pointed: () => (state.direction === null ? [] : [state.direction]),
    });
  }

  // --- download ---------------------------------------------------------------------------------------

  /** Everything that is said at the present strength, by part, name and quantity. */
  function present() {
    const { target, alpha } = state;
    const errors = study.standardErrors(target);
    const shares = study.shares(target, alpha);
    const estimates = study.coefficients(target, alpha);
    return {
      eigenshrink: record.version,
      target: study.targets[target],
      unit: study.unit,
      strength: Object.fromEntries([...facts(), ...criteria()].map(([name, , value]) => [name, value])),
      coefficients: names.map((name, i) => ({
        name, estimate: estimates[i], ...(errors ? { "standard error at the chosen strength": errors[i] } : {}),
      })),
      directions: study.directions(target).map((each, i) => ({
        name: String(each.number), eigenvalue: each.eigenvalue, coordinate: each.coordinate, "share kept": shares[i],
      })),
    };
  }

  /** The same as rows of part, name, quantity, value. */
  function lines({ strength, coefficients: weights, directions: along, ...about }) {
    const rows = Object.entries(about).map(([name, value]) => ["study", name, "name", value]);
    for (const [name, value] of Object.entries(strength)) rows.push(["strength", name, "value", value]);
    for (const [part, list] of [["coefficient", weights], ["direction", along]]) {
      for (const { name, ...found } of list) {
        for (const [quantity, value] of Object.entries(found)) rows.push([part, name, quantity, value]);
      }
    }
    return [["part", "name", "quantity", "value"], ...rows];
  }

  /** JSON has no infinity: an endless strength is null there, as in result.json. */
  const finite = (key, value) => (typeof value === "number" && !Number.isFinite(value) ? null : value);

  const save = (name, words, type) => frames.download(name, new Blob([words], { type }));

  by("download-csv").addEventListener("click", () => {
    save("eigenshrink.csv", tables.csv(lines(present())), "text/csv;charset=utf-8");
  });
  by("download-json").addEventListener("click", () => {
    save("eigenshrink.json", `${JSON.stringify(present(), finite, 1)}\n`, "application/json");
  });

  // --- the start --------------------------------------------------------------------------------------

  document.documentElement.classList.add("live");
  panels.push(controls.create(study, state), numbers(by("numbers"), facts), numbers(by("criteria"), criteria));
  for (const [id, panel] of [["coefficients-live", coefficients], ["directions-live", directions]]) {
    if (by(id)) panels.push(panel(by(id)));
  }
  panels.push(...frames.mount(study, state));
  dress();
})();
