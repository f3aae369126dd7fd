"use strict";
/**
 * The pictures of a plane of two weights that several pages show (M7, M10).
 *
 * Each function builds one into an SVG element and returns what redraws it from `seen`; nothing here
 * remembers anything.
 *
 * @typedef {Object} Seen
 * @property {Object} window  of `sheet.square`
 * @property {string[]} names  of the axes
 * @property {string[]} directions  names of the eigen-directions
 * @property {number[]} eigenvalues
 * @property {number[][]} Q
 * @property {number[]} minimiser
 * @property {string} star  what the minimiser is called
 * @property {number} alpha
 * @property {Object} touch  of `shrink.touching`
 * @property {Object} moved  of `shrink.threeSteps`
 * @property {number[]} solution  w̃(α), which is where the pair touches if the loss is quadratic
 * @property {number[][]} path  w̃ at ascending strengths
 * @property {number[][]} [believed]  the part of it that can be trusted, if not all
 * @property {number[][]} [held]  path of the quadratic that is drawn, if that is another one
 * @property {number[][]} marks  w̃ at α/10 and 10α
 */
globalThis.scenes = (() => {
  const { draw, set } = frame;
  const { base, family, star, put, oval, halves, arrow, settle, toward, beside } = sheet;
  const ANCHOR = "middle";

  /** Both eigen-directions as lines through a point. */
  function axes(layer) {
    const made = ["first", "second"].map((kind) => draw(layer, "path", { class: `${kind} thin` }));
    const redraw = (window_, centre, Q) => made.forEach((line, i) => {
      const ends = [-6, 6].map((far) => centre.map((value, j) => value + far * window_.half * Q[j][i]));
      set(line, { d: window_.line(ends) });
    });
    return { redraw, second: made[1] };
  }

  function naming(root, count) {
    return Array.from({ length: count }, () => draw(root, "text", { class: "point", "text-anchor": ANCHOR }));
  }

  /**
   * Ellipses, circles, the pair that touches, the path and the points on it (M10).
   *
   * @param {{rings: number, origin: boolean, mark: function(SVGElement): SVGElement}} options  `mark` makes
   *   what holds the star
   */
  function contour(root, name, { rings, origin = true, mark = (parent) => draw(parent, "g"), ...grid }) {
    const { layer, rule } = base(root, name, grid);
    const directions = axes(layer);
    const [losses, penalties] = [family(layer, "loss", rings), family(layer, "penalty", rings)];
    const [held, path, believed] = ["held", "path", "path believed"].map((kind) => draw(layer, "path", { class: kind }));
    const reach = draw(layer, "path", { class: "reach" });
    const marks = [0, 1].map(() => draw(layer, "circle", { class: "mark", r: 3 }));
    const zero = origin ? draw(layer, "path", { class: "zero" }) : null;
    const best = mark(root);
    star(best);
    const dot = draw(root, "circle", { class: "solution", r: 6.5 });
    const names = naming(root, origin ? 3 : 2);
    function redraw(seen) {
      const { window: window_, eigenvalues, Q, minimiser, touch } = seen;
      rule(window_, seen.names);
      directions.redraw(window_, minimiser, Q);
      losses(window_, minimiser, eigenvalues, Q, touch.ellipse, shrink.rise(eigenvalues, Q, minimiser, [0, 0]));
      penalties(window_, [0, 0], [1, 1], Q, touch.circle, Math.hypot(...minimiser));
      set(path, { d: window_.line(seen.path), class: seen.believed ? "path doubted" : "path" });
      set(reach, { d: window_.line(seen.path) });
      set(believed, { d: window_.line(seen.believed || []) });
      set(held, { d: window_.line(seen.held || []) });
      marks.forEach((circle, i) => {
        set(circle, { visibility: seen.marks[i] ? "visible" : "hidden" });
        if (seen.marks[i]) put(circle, window_, seen.marks[i]);
      });
      if (zero) set(zero, { d: `M${window_.place([0, 0])}m-6 0h12m-6 -6v12` });
      set(best, { transform: `translate(${window_.place(window_.inside(minimiser))})` });
      put(dot, window_, seen.solution);
      name_(seen);
    }
    function name_(seen) {
      const texts = [seen.star, "w̃", "0"];
      const points = [seen.minimiser, seen.solution, [0, 0]];
      const sides = [toward([0, 0], seen.minimiser), beside(seen.solution, seen.minimiser), toward(seen.minimiser, [0, 0])];
      const asked = names.map((element, i) => {
        element.textContent = texts[i];
        return { element, point: points[i], toward: sides[i] };
      });
      settle(seen.window, asked, [seen.path, ...(seen.held ? [seen.held] : [])]);
    }
    return { redraw, star: best, path: reach };
  }

  /** The three steps at one time: what turns, what is made smaller, and the way so far (M7). */
  function steps(root, name, grid = {}) {
    const { layer, rule } = base(root, name, grid);
    const directions = axes(layer);
    const ring = draw(layer, "ellipse", { class: "loss heavy" });
    const disc = draw(layer, "ellipse", { class: "penalty heavy" });
    const ahead = draw(layer, "path", { class: "ahead" });
    const trail = draw(layer, "path", { class: "path" });
    const parts = ["first", "second"].map((kind) => draw(layer, "path", { class: `${kind} part` }));
    const best = draw(layer, "g");
    star(best);
    const goal = draw(layer, "circle", { class: "goal", r: 5 });
    const from = draw(layer, "path", { class: "faint arrow" });
    const now = draw(layer, "path", { class: "chosen arrow" });
    const names = naming(root, 2);
    return (seen) => {
      const { window: window_, eigenvalues, Q, minimiser, moved, touch, time } = seen;
      rule(window_, moved.step === 2 ? seen.directions : seen.names);
      directions.redraw(window_, [0, 0], moved.axes);
      const along = shrink.times(shrink.transpose(moved.axes), moved.point);
      parts.forEach((part, i) => {
        set(part, { d: window_.line([[0, 0], [0, 1].map((j) => along[i] * moved.axes[j][i])]) });
      });
      for (const shape of [ring, disc, directions.second]) set(shape, { visibility: seen.line ? "hidden" : "visible" });
      oval(ring, window_, moved.centre, halves(window_, eigenvalues, touch.ellipse), moved.axes);
      oval(disc, window_, [0, 0], [touch.circle, touch.circle], Q);
      const [before, after] = ways(seen);
      set(trail, { d: window_.line(before) });
      set(ahead, { d: window_.line(after) });
      set(best, { transform: `translate(${window_.place(window_.inside(minimiser))})` });
      put(goal, window_, touch.point);
      set(from, { d: arrow(window_, [0, 0], minimiser) });
      set(now, { d: arrow(window_, [0, 0], moved.point) });
      const sides = [toward([0, 0], minimiser), beside(touch.point, minimiser)];
      const asked = names.map((element, i) => {
        element.textContent = [seen.star, "w̃"][i];
        return { element, point: [minimiser, touch.point][i], toward: sides[i] };
      });
      settle(window_, asked, [before, after, [[0, 0], minimiser], [[0, 0], moved.point]]);
    };
  }

  /** The way up to `time` and from there on. */
  function ways({ eigenvalues, Q, minimiser, alpha, time }) {
    const at = (t) => shrink.threeSteps(eigenvalues, Q, minimiser, alpha, t).point;
    const times = Array.from({ length: 91 }, (_, i) => i / 30);
    return [[...times.filter((t) => t < time), time].map(at), [time, ...times.filter((t) => t > time)].map(at)];
  }

  /**
   * L, Ω and their sum over the weight along the only direction there is (M10).
   *
   * Of `seen` it reads the window, the one eigenvalue and minimiser, alpha, solution and names.
   */
  function parabolas(root, name) {
    const { layer, rule } = base(root, name);
    const curves = ["loss", "penalty", "path"].map((kind) => draw(layer, "path", { class: `${kind} curve` }));
    const best = draw(root, "g");
    star(best);
    const dot = draw(root, "circle", { class: "solution", r: 6.5 });
    const names = naming(root, 2);
    return (seen) => {
      const { window: window_, eigenvalues: [curvature], minimiser: [lowest], alpha, solution: [now] } = seen;
      const ends = [window_.low[0], window_.high[0]];
      const loss = (v) => 0.5 * curvature * (v - lowest) ** 2;
      const price = (v) => (v === 0 ? 0 : 0.5 * alpha * v * v);
      const places = Array.from({ length: 201 }, (_, i) => ends[0] + ((ends[1] - ends[0]) * i) / 200);
      const heights = [loss, price, (v) => loss(v) + price(v)].map((height) => places.map((v) => [v, height(v)]));
      rule(window_, seen.names);
      curves.forEach((curve, i) => {
        set(curve, { d: window_.line(heights[i]), visibility: alpha < Infinity || i === 0 ? "visible" : "hidden" });
      });
      const points = [[lowest, 0], [now, loss(now) + (alpha < Infinity ? price(now) : 0)]];
      set(best, { transform: `translate(${window_.place(points[0])})` });
      put(dot, window_, points[1]);
      const asked = names.map((element, i) => {
        element.textContent = [seen.star, "w̃"][i];
        return { element, point: points[i], toward: [0, i ? -1 : 1] };
      });
      settle(window_, asked, heights);
    };
  }

  /** Which of the three steps is going on, and where the arrow is, in words (M7). */
  function told({ time, moved, Q, share, star: name, line }) {
    const degrees = (180 / Math.PI) * Math.atan2(Q[1][0], Q[0][0]);
    const turn = (angle) => `${frame.number(Math.abs(angle), 3)}° ${angle < 0 ? "clockwise" : "anticlockwise"}`;
    const where = `The arrow is at ${frame.pair(moved.point)}.`;
    if (time === 0) return `Start: the arrow is ${name}. ${where} First it will be turned by Qᵀ, ${turn(-degrees)}.`;
    if (time === 3) return `End: the arrow is w̃. ${where}`;
    const now = [
      `1. Rotate by Qᵀ, ${turn(-degrees)}.`,
      line ? `2. Scale the only coordinate by ${frame.number(share[0], 3)}.`
        : `2. Scale the two coordinates by ${frame.number(share[0], 3)} and ${frame.number(share[1], 3)}.`,
      `3. Rotate back by Q, ${turn(degrees)}.`,
    ];
    return `${now[moved.step - 1]} ${where}`;
  }

  return Object.freeze({ contour, steps, parabolas, told });
})();
