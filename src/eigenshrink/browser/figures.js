"use strict";
/**
 * One bokeh figure of a report: its colours, the numbers beside its axes, and what a drawing writes on.
 *
 * One global, `figures`. Needs frame.js. Axes over strengths hold log₁₀ α.
 */
globalThis.figures = (() => {
  const { number, tick } = frame;
  const ROOM = 55; // pixels that a number beside an axis needs
  const WORDS = 6.6; // pixels of a letter
  const NARROW = 450; // pixels of a figure whose title begins at its edge
  const LISTED = 20; // rows of a table behind a curve
  const CALLED = { none: "as trained", given: "given" }; // by the criterion that chose

  // --- colours ----------------------------------------------------------------------------------------

  /** A variable of the page's style, such as `--series-0`; `--font` is the font of the page. */
  function variable(name) {
    if (name === "--font") return getComputedStyle(document.body).fontFamily;
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  /** What Python notes of a model: `name=value` among its tags. */
  function notes(model) {
    const said = model.tags.filter((tag) => typeof tag === "string" && tag.includes("="));
    return Object.fromEntries(said.map((tag) => [tag.slice(0, tag.indexOf("=")), tag.slice(tag.indexOf("=") + 1)]));
  }

  /** Give all models of a figure the colours and the font of the page as it is now. */
  function tint(figure) {
    for (const model of figure.references()) {
      if (!model.tags || !model.tags.length) continue;
      const found = Object.entries(notes(model)).filter(([, value]) => value.startsWith("--"));
      if (found.length) model.setv(Object.fromEntries(found.map(([name, value]) => [name, variable(value)])));
    }
  }

  // --- numbers beside axes ----------------------------------------------------------------------------

  /** Round numbers between two ends, about `wanted` of them. */
  function round(low, high, wanted) {
    const rough = (high - low) / Math.max(1, wanted);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((each) => each * power >= rough * (1 - 1e-9));
    const first = Math.ceil(low / step - 1e-9);
    const last = Math.floor(high / step + 1e-9);
    const count = Math.max(0, last - first + 1);
    return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  }

  /** Places of round powers on an axis that holds log₁₀; 1, 2, 5 or all digits where it is short. */
  function powers(low, high, count) {
    const span = high - low;
    if (span >= 2) {
      const step = Math.max(1, Math.ceil(span / Math.max(2, count)));
      const first = Math.ceil(low / step);
      return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
    }
    const digits = span > 0.5 ? [1, 2, 5] : [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const found = [];
    for (let k = Math.floor(low); k <= high; k++) found.push(...digits.map((digit) => k + Math.log10(digit)));
    return found.filter((each) => each >= low && each <= high);
  }

  /** Write the numbers of every axis that wants them for the ranges as they are. */
  function label({ figure, known, width, height }) {
    for (const [place, side] of [["below", "x"], ["left", "y"], ["right", "y"]]) {
      for (const axis of figure[place]) {
        const kind = axis.tags && notes(axis).axis;
        if (!kind) continue;
        const range = axis.y_range_name === "rise" ? known("rise") : figure[`${side}_range`];
        const count = side === "x" ? width() / ROOM : height() / (0.9 * ROOM);
        write(axis, kind, range.start, range.end, count);
      }
    }
  }

  function write(axis, kind, low, high, count) {
    if (!(high > low)) return;
    const at = kind === "log10" ? powers(low, high, count) : round(low, high, count);
    if (String(at) === String(axis.ticker.ticks)) return;
    axis.major_label_overrides = new Map(at.map((each) => [each, tick(kind === "log10" ? 10 ** each : each)]));
    axis.ticker.setv({ ticks: at });
  }

  // --- one figure -------------------------------------------------------------------------------------

  /** Text of data for a figure, in which dollars and backslashes would be read as mathematics. */
  function plain(text, width = 24) {
    return frame.short(text, width).replace(/\$(?=\$)/g, "$\u2060").replace(/\\(?=[()[\]])/g, "\\\u2060");
  }

  /** What a drawing writes on: sources, ranges, marks and words of one figure by their names. */
  function sheetOf(view) {
    const figure = view.model;
    const named = Array.from(figure.references()).filter((each) => each.name);
    const models = new Map(named.map((each) => [each.name, each]));
    const kept = new Map();
    const known = (name) => models.get(name);

    /** Columns of a source, all of one length. */
    function data(name, columns) {
      known(name).data = columns;
    }

    /** Compute once for a key: as long as it is the same, what was made of it stays. */
    function once(name, key, make) {
      const found = kept.get(name);
      if (found && found.key === key) return found.value;
      const value = make();
      kept.set(name, { key, value });
      return value;
    }

    /** Set a range where it has changed, so that what the reader zoomed into stays. */
    function limit(range, low, high) {
      if (!(high > low) || !Number.isFinite(high - low)) return;
      once(`range ${range}`, `${low} ${high}`, () => {
        const model = range === "rise" ? known("rise") : figure[`${range}_range`];
        model.setv({ start: low, end: high, reset_start: low, reset_end: high });
      });
    }

    /** Move an upright line with its word; `at` is null to hide both. */
    function mark(name, at, said) {
      const [line, word] = [known(`${name}-line`), known(`${name}-word`)];
      const seen = at !== null && Number.isFinite(at);
      line.setv({ visible: seen, ...(seen ? { location: at } : {}) });
      const { start, end } = figure.x_range;
      const left = seen && at > 0.5 * (start + end);
      const side = left ? { text_align: "right", x_offset: -5 } : { text_align: "left", x_offset: 5 };
      word.setv({ visible: seen && said !== "", ...(seen ? { x: at, text: said, ...side } : {}) });
    }

    /** One line above the figure, cut to its width. */
    function title(text) {
      const before = view.bbox.width < NARROW ? view.frame.bbox.left - 4 : 0;
      const said = plain(text, Math.max(20, Math.floor((view.frame.bbox.width + before) / WORDS)));
      const heading = known("heading");
      if (heading.text !== said || heading.x !== -before) heading.setv({ text: said, x: -before });
    }

    /** What x means: "log10" of a strength, or "linear". */
    function axis(kind, words) {
      const below = figure.below[0];
      if (below.axis_label === words) return;
      below.setv({ tags: [...below.tags.filter((tag) => !tag.startsWith("axis=")), `axis=${kind}`] });
      below.axis_label = words;
    }

    /** Let x hold log₁₀ of all strengths that are shown; returns where one lies, 0 and ∞ at the edges. */
    function alphas(study, state) {
      const marked = [study.chosen(state.target), state.alpha].filter((each) => each > 0 && each < Infinity);
      const low = Math.log10(Math.min(study.low, ...marked.map((each) => each / 1.2)));
      const high = Math.log10(Math.max(study.high, ...marked.map((each) => each * 1.2)));
      limit("x", low, high);
      return (alpha) => Math.min(high, Math.max(low, Math.log10(alpha)));
    }

    /** Mark the chosen strength and, where it is another one, the current one. */
    function strengths(study, { target, alpha }, place) {
      const chosen = study.chosen(target);
      const called = CALLED[study.criterion(target)] || "chosen";
      mark("chosen", Number.isNaN(chosen) ? null : place(chosen), `${called} ${number(chosen, 3)}`);
      if (known("start-line")) {
        const trained = study.trained > 0 && study.trained < Infinity;
        mark("start", trained ? place(study.trained) : null, `α₀ ${number(study.trained, 3)}`);
      }
      mark("now", chosen === alpha ? null : place(alpha), `α = ${number(alpha, 3)}`);
    }

    const width = () => view.frame.bbox.width;
    const height = () => view.frame.bbox.height;
    const forget = () => kept.clear();
    const color = (name) => once(`color ${name}`, "", () => variable(name)); // reading the style is dear
    return {
      figure, known, data, once, limit, mark, title, axis, alphas, strengths, width, height, forget,
      color, plain, notes,
    };
  }

  // --- numbers of curves --------------------------------------------------------------------------------

  const log10 = (values) => Array.from(values, Math.log10);
  const finite = (values) => Array.from(values).filter(Number.isFinite);

  /** The lowest and the highest of many numbers; [0, 0] of none. */
  function ends(values) {
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return low <= high ? [low, high] : [0, 0];
  }

  /** Some places of a grid, evenly, both ends included. */
  function some(length, count = LISTED) {
    const step = Math.max(1, (length - 1) / (count - 1));
    return Array.from({ length: Math.min(count, length) }, (_, i) => Math.round(i * step));
  }

  /** α as a click on an axis of log₁₀ α asks for it. */
  const ofPower = (x) => 10 ** x;

  /** α as a click on an axis of effective parameters asks for it: the nearest of the grid. */
  function ofGamma(x, study, state) {
    const apart = Array.from(study.gammas(state.target), (gamma) => Math.abs(gamma - x));
    return study.grid[apart.indexOf(Math.min(...apart))];
  }

  return Object.freeze({ sheetOf, tint, label, log10, finite, ends, some, ofPower, ofGamma });
})();
