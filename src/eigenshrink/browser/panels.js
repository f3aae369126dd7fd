"use strict";
/**
 * The pictures of the playground. Each function builds one into an SVG and returns what redraws it.
 *
 * A redraw reads `seen`, which `look` makes of the state: nothing here remembers anything.
 */
globalThis.panels = (() => {
  const { number, percent, draw, set } = frame;
  const { say } = sheet;
  const EDGE = 4; // weights from −4 to 4
  const WINDOW = sheet.square(EDGE);
  const GRID = { inside: true, count: 2 * EDGE };
  const RINGS = 5; // about as many between the middle of a family and the far end of the path
  const LOW = 1e-4; // strengths that the curves show
  const HIGH = 1e4;

  /** Everything that the pictures and tables show of one state (M5-M10). */
  function look(state) {
    const { eigenvalues, minimiser, alpha } = state;
    const Q = shrink.rotation((state.degrees * Math.PI) / 180);
    const share = shrink.factors(eigenvalues, alpha);
    const rotated = shrink.times(shrink.transpose(Q), minimiser);
    const touch = shrink.touching(eigenvalues, Q, minimiser, alpha);
    const moved = shrink.threeSteps(eigenvalues, Q, minimiser, alpha, state.time);
    const price = alpha === Infinity ? 0 : 0.5 * alpha * touch.circle ** 2;
    const at = (strength) => shrink.solution(eigenvalues, Q, minimiser, strength);
    return {
      ...state, Q, share, rotated, touch, moved, price, window: WINDOW, names: ["w₁", "w₂"],
      directions: ["w₁", "w₂"], star: "w*", solution: touch.point,
      path: sheet.strengths(eigenvalues).map(at),
      marks: alpha > 0 && alpha < Infinity ? [at(alpha / 10), at(10 * alpha)] : [],
      scaled: rotated.map((value, i) => share[i] * value),
      gamma: shrink.effectiveParameters(eigenvalues, alpha),
    };
  }

  function handle(layer, name) {
    const made = draw(layer, "g", {
      class: "handle", tabindex: 0, role: "slider", "aria-label": name, "aria-roledescription": "point",
      "aria-valuemin": -EDGE, "aria-valuemax": EDGE,
    });
    draw(made, "circle", { class: "reach", r: 20 });
    return made;
  }

  function place(handle_, point) {
    set(handle_, { transform: `translate(${WINDOW.place(point)})` });
    if (handle_.getAttribute("role") === "slider") {
      const text = `${number(point[0], 3)}, ${number(point[1], 3)}`;
      set(handle_, { "aria-valuenow": point[0], "aria-valuetext": text });
    }
  }

  /** Ellipses, circles, the pair that touches, the path and both points (M10). */
  function touching(root) {
    const mark = (parent) => handle(parent, "w star, the lowest point of the loss: arrow keys move it");
    const { redraw, star } = scenes.contour(root, root.id, { rings: RINGS, origin: false, mark, ...GRID });
    return {
      handle: star,
      redraw(seen) {
        redraw(seen);
        place(star, seen.minimiser);
      },
    };
  }

  /** Bars of λ/(λ+α) and of their sum (M7, M9). */
  function keeping(root) {
    const [left, wide, high] = [120, 160, 18];
    const rows = ["direction 1", "direction 2", "in use, of 2"].map((name, i) => {
      const y = 12 + 42 * i;
      say(root, "label", 0, y + 14, name);
      draw(root, "rect", { class: "empty", x: left, y, width: wide, height: high, rx: 3 });
      const bar = draw(root, "rect", { class: ["first", "second", "both"][i], x: left, y, height: high, rx: 3 });
      return { bar, text: say(root, "label", left + wide + 10, y + 14, "") };
    });
    return (seen) => {
      const shares = [...seen.share, seen.gamma / 2];
      rows.forEach(({ bar, text }, i) => {
        set(bar, { width: wide * shares[i] });
        text.textContent = i < 2 ? percent(shares[i]) : `γ = ${number(seen.gamma, 3)}`;
      });
    };
  }

  /** Shares and their sum over α, with a line at this α (M8, M9). */
  function curves(root) {
    const [left, top, wide, high] = [28, 26, 360, 170];
    const across = (alpha) => left + (wide * Math.log10(alpha / LOW)) / Math.log10(HIGH / LOW);
    const upward = (value) => top + high * (1 - value / 2);
    for (const value of [0, 1, 2]) {
      draw(root, "path", { class: value ? "grid" : "axis", d: `M${left} ${upward(value)}h${wide}` });
      say(root, "tick", left - 12, upward(value) + 4, value);
    }
    for (const [alpha, name] of [[1e-4, "10⁻⁴"], [1e-2, "0.01"], [1, "1"], [100, "100"], [1e4, "10⁴"]]) {
      say(root, "tick", across(alpha), top + high + 17, name);
    }
    say(root, "name", left + wide / 2, top + high + 36, "strength α");
    const lines = ["path", "first curve", "second curve"].map((kind) => draw(root, "path", { class: kind }));
    const now = draw(root, "path", { class: "now" });
    const dots = ["both", "first", "second"].map((kind) => draw(root, "circle", { class: `dot ${kind}`, r: 4.5 }));
    const text = say(root, "name", left, top - 10, "");
    const places = Array.from({ length: 161 }, (_, i) => LOW * (HIGH / LOW) ** (i / 160));
    return (seen) => {
      const values = (alpha) => {
        const share = shrink.factors(seen.eigenvalues, alpha);
        return [share[0] + share[1], share[0], share[1]];
      };
      const table = places.map(values);
      lines.forEach((line, i) => {
        const points = table.map((row, j) => `${across(places[j]).toFixed(2)} ${upward(row[i]).toFixed(2)}`);
        set(line, { d: `M${points.join("L")}` });
      });
      const x = across(Math.min(HIGH, Math.max(LOW, seen.alpha)));
      set(now, { d: `M${x} ${top - 4}V${top + high}` });
      values(seen.alpha).forEach((value, i) => set(dots[i], { cx: x, cy: upward(value) }));
      set(text, { x: Math.min(left + wide - 36, Math.max(left + 36, x)) });
      text.textContent = `α = ${number(seen.alpha, 3)}`;
    };
  }

  /** The dot on the hill that it walks on: L̃ with the term, L without (M2, M3). */
  function training(root) {
    const { layer, rule } = sheet.base(root, root.id, GRID);
    rule(WINDOW, ["w₁", "w₂"]);
    const hill = sheet.family(layer, "hill", RINGS);
    const trail = draw(layer, "path", { class: "path", "marker-mid": `url(#${root.id}-step)` });
    const marker = { id: `${root.id}-step`, viewBox: "-2 -2 4 4", markerWidth: 6, markerHeight: 6 };
    draw(draw(root.querySelector("defs"), "marker", { ...marker, markerUnits: "userSpaceOnUse" }), "circle", {
      class: "footstep", r: 2,
    });
    const begin = handle(root, "Start of the training: arrow keys move it");
    draw(begin, "circle", { class: "start", r: 7 });
    const best = draw(root, "g");
    sheet.star(best);
    const goal = draw(root, "circle", { class: "goal", r: 6.5 });
    const dot = draw(root, "circle", { class: "runner", r: 5 });
    const names = ["w*", "w̃", "start"].map((text) => say(root, "point", 0, 0, text));
    function redraw(seen) {
      const { eigenvalues, Q, minimiser, alpha, touch, decay, run, start } = seen;
      const price = decay && alpha < Infinity ? alpha : 0;
      const centre = decay ? touch.point : minimiser;
      const steep = eigenvalues.map((value) => value + price);
      hill(WINDOW, centre, steep, Q, 0, shrink.rise(steep, Q, centre, start));
      set(trail, { d: WINDOW.line(run.trail) });
      place(begin, start);
      place(best, minimiser);
      sheet.put(goal, WINDOW, touch.point);
      sheet.put(dot, WINDOW, run.at);
      name(seen);
    }
    function name({ minimiser, touch, start, run }) {
      const asked = [
        { point: minimiser, toward: sheet.toward([0, 0], minimiser) },
        { point: touch.point, toward: sheet.beside(touch.point, minimiser) },
        { point: start, toward: [0, 1] },
      ].map((one, i) => ({ ...one, element: names[i] }));
      set(names[2], { visibility: run.count ? "hidden" : "visible" });
      sheet.settle(WINDOW, run.count ? asked.slice(0, 2) : asked, [run.trail]);
    }
    return { redraw, handle: begin };
  }

  /**
   * Let a handle be dragged, and moved with the arrow keys (Shift: finely).
   *
   * @param {SVGElement} handle  focusable
   * @param {SVGSVGElement} root
   * @param {Object} window_  of `square`
   * @param {{get: function(): number[], move: function(number[]): void}} point
   */
  function movable(handle, root, window_, point) {
    const limit = 0.96 * window_.half;
    const inside = (place) => place.map((value) => Math.min(limit, Math.max(-limit, Math.round(value * 1000) / 1000)));
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      event.preventDefault();
    });
    // A finger on the handle does not scroll the page: touch-action is not heard inside of an SVG.
    handle.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const inverse = root.getScreenCTM().inverse();
      const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(inverse);
      point.move(inside(window_.from([x, y])));
    });
    handle.addEventListener("keydown", (event) => {
      const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      const way = ways[event.key];
      if (!way) return;
      event.preventDefault();
      const step = event.shiftKey ? 0.01 : 0.1;
      const [x, y] = point.get();
      point.move(inside([x + step * way[0], y + step * way[1]]));
    });
  }

  return Object.freeze({ EDGE, WINDOW, GRID, look, touching, keeping, curves, training, movable });
})();
