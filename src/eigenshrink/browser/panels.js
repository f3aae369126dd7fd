"use strict";
/**
 * The pictures of the playground. Each function builds one into an SVG and returns what redraws it.
 *
 * A redraw reads `seen`, which `look` makes of the state: nothing here remembers anything.
 */
globalThis.panels = (() => {
  const { number, draw, set, square, oval, arrow } = frame;
  const EDGE = 4; // weights from −4 to 4
  const SIZE = 400; // of the drawing, as in its viewBox
  const FAR = 60; // half axis at which an ellipse along a flat direction is cut
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
    return {
      ...state, Q, share, rotated, touch, moved, price,
      scaled: rotated.map((value, i) => share[i] * value),
      gamma: shrink.effectiveParameters(eigenvalues, alpha),
    };
  }

  /** Axes, ticks and a layer that is clipped to the window. */
  function base(root, [across, up] = ["w₁", "w₂"]) {
    const window_ = square(EDGE, SIZE);
    const clip = draw(draw(root, "defs"), "clipPath", { id: `${root.id}-clip` });
    draw(clip, "rect", { width: SIZE, height: SIZE });
    for (let value = -EDGE + 1; value < EDGE; value++) {
      const kind = value === 0 ? "axis" : "grid";
      draw(root, "path", { class: kind, d: window_.line([[value, -EDGE], [value, EDGE]]) });
      draw(root, "path", { class: kind, d: window_.line([[-EDGE, value], [EDGE, value]]) });
      if (value % 2 === 0 && value !== 0) {
        note(root, window_, [value, 0], number(value), "tick", [0, 15]);
        note(root, window_, [0, value], number(value), "tick", [-12, 4]);
      }
    }
    note(root, window_, [EDGE, 0], across, "name", [-12, -8]);
    note(root, window_, [0, EDGE], up, "name", [16, 14]);
    return { window_, layer: draw(root, "g", { "clip-path": `url(#${clip.id})` }) };
  }

  function note(parent, window_, point, text, kind = "point", shift = [0, 0]) {
    const made = say(parent, kind, 0, 0, text);
    write(made, window_, point, shift);
    return made;
  }

  /** Move a text to a point, some units away, and never out of the drawing. */
  function write(element, window_, point, shift = [0, 0]) {
    const [x, y] = window_.at(point);
    const inside = (value, margin) => Math.min(SIZE - margin, Math.max(margin, value));
    set(element, { x: inside(x + shift[0], 16), y: inside(y + shift[1], 12) });
  }

  /** A family of level lines; sizes at equal steps, the touching one among them and heavy (M10). */
  function family(layer, kind) {
    const lines = Array.from({ length: 2 * RINGS }, () => draw(layer, "ellipse", { class: kind }));
    return (window_, centre, eigenvalues, Q, touch, full) => {
      const wanted = sizes(touch, full || 4 / Math.sqrt(Math.max(...eigenvalues, 0.01)));
      lines.forEach((line, i) => {
        const [size, heavy] = wanted[i] || [0, false];
        const half = eigenvalues.map((value) => Math.min(size / Math.sqrt(value) || 0, FAR));
        set(line, { class: heavy ? `${kind} heavy` : kind, visibility: wanted[i] ? "visible" : "hidden" });
        oval(line, window_, centre, half, Q);
      });
    };
  }

  function sizes(touch, full) {
    const rings = Array.from({ length: 2 * RINGS - 1 }, (_, i) => i + 1);
    if (touch <= 1e-9 * full) return rings.map((ring) => [(full * ring) / RINGS, false]);
    const between = Math.round((RINGS * touch) / full);
    if (between === 0) return [[touch, true], ...rings.map((ring) => [(full * ring) / RINGS, false])];
    return rings.map((ring) => [(touch * ring) / between, ring === between]);
  }

  /** Strengths from 0 to ∞ that show all of the path. */
  function strengths(eigenvalues) {
    const seen = eigenvalues.filter((value) => value > 0);
    const [low, high] = seen.length ? [1e-4 * Math.min(...seen), 1e4 * Math.max(...seen)] : [1, 2];
    const between = Array.from({ length: 241 }, (_, i) => low * (high / low) ** (i / 240));
    return [0, ...between, Infinity];
  }

  /** Unit vector from one point to another, as a shift in the drawing. */
  function toward(from, to, length) {
    const [x, y] = [to[0] - from[0], to[1] - from[1]];
    const size = Math.hypot(x, y) || 1;
    return [(length * x) / size, (-length * y) / size];
  }

  /** The minimiser as a star; with a name where it can be moved. */
  function star(layer, name) {
    const tips = Array.from({ length: 10 }, (_, i) => {
      const [radius, turn] = [i % 2 ? 4 : 9.5, (i * Math.PI) / 5];
      return `${(radius * Math.sin(turn)).toFixed(2)} ${(-radius * Math.cos(turn)).toFixed(2)}`;
    });
    const shape = name ? handle(layer, name) : draw(layer, "g");
    draw(shape, "path", { class: "star", d: `M${tips.join("L")}Z` });
    return shape;
  }

  function handle(layer, name) {
    const made = draw(layer, "g", {
      class: "handle", tabindex: 0, role: "slider", "aria-label": name, "aria-roledescription": "point",
      "aria-valuemin": -EDGE, "aria-valuemax": EDGE,
    });
    draw(made, "circle", { class: "reach", r: 20 });
    return made;
  }

  function place(handle_, window_, point) {
    set(handle_, { transform: `translate(${window_.place(point)})` });
    if (handle_.getAttribute("role") === "slider") {
      const text = `${number(point[0], 3)}, ${number(point[1], 3)}`;
      set(handle_, { "aria-valuenow": point[0], "aria-valuetext": text });
    }
  }

  /** Ellipses, circles, the pair that touches, the path and both points (M10). */
  function touching(root) {
    const { window_, layer } = base(root);
    const directions = ["first", "second"].map((kind) => draw(layer, "path", { class: `${kind} thin` }));
    const [losses, penalties] = [family(layer, "loss"), family(layer, "penalty")];
    const path = draw(layer, "path", { class: "path" });
    const marks = [0.1, 10].map((times) => [times, draw(layer, "circle", { class: "mark", r: 3 })]);
    const minimiser = star(root, "w star, the lowest point of the loss: arrow keys move it");
    const dot = draw(root, "circle", { class: "solution", r: 6.5 });
    const names = ["w*", "w̃"].map((text) => note(root, window_, [0, 0], text));
    function redraw(seen) {
      const { eigenvalues, Q, minimiser: best, alpha, touch } = seen;
      const at = (strength) => shrink.solution(eigenvalues, Q, best, strength);
      losses(window_, best, eigenvalues, Q, touch.ellipse, shrink.rise(eigenvalues, Q, best, [0, 0]));
      penalties(window_, [0, 0], [1, 1], Q, touch.circle, Math.hypot(...best));
      directions.forEach((line, i) => {
        const ends = [-3 * EDGE, 3 * EDGE].map((far) => [best[0] + far * Q[0][i], best[1] + far * Q[1][i]]);
        set(line, { d: window_.line(ends) });
      });
      set(path, { d: window_.line(strengths(eigenvalues).map(at)) });
      for (const [times, mark] of marks) {
        const [cx, cy] = window_.at(at(times * alpha));
        set(mark, { cx, cy, visibility: alpha > 0 && alpha < Infinity ? "visible" : "hidden" });
      }
      place(minimiser, window_, best);
      const [cx, cy] = window_.at(touch.point);
      set(dot, { cx, cy });
      write(names[0], window_, best, toward([0, 0], best, 20));
      write(names[1], window_, touch.point, beside(touch.point, best));
    }
    return { redraw, window_, handle: minimiser };
  }

  /** Where the name of w̃ stands: across the line from 0 to w*, on the outer side of the path. */
  function beside(point, best) {
    const across = [best[1], -best[0]];
    const side = across[0] * (point[0] - best[0] / 2) + across[1] * (point[1] - best[1] / 2) < 0 ? -1 : 1;
    return toward([0, 0], [side * across[0], side * across[1]], 19);
  }

  /** Write a text at a place of the drawing. */
  function say(parent, kind, x, y, text) {
    const made = draw(parent, "text", { class: kind, x, y });
    made.textContent = text;
    return made;
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
        text.textContent = i < 2 ? words.percent(shares[i]) : `γ = ${number(seen.gamma, 3)}`;
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

  /** The three steps at one time: what turns, what is made smaller, and the way so far (M7). */
  function stepping(root) {
    const { window_, layer } = base(root);
    const axes = ["first", "second"].map((kind) => draw(layer, "path", { class: `${kind} thin` }));
    const ring = draw(layer, "ellipse", { class: "loss heavy" });
    const disc = draw(layer, "ellipse", { class: "penalty heavy" });
    const ahead = draw(layer, "path", { class: "ahead" });
    const trail = draw(layer, "path", { class: "path" });
    const parts = ["first", "second"].map((kind) => draw(layer, "path", { class: `${kind} bar` }));
    const [best, goal] = [star(layer, ""), draw(layer, "circle", { class: "goal", r: 5 })];
    const from = draw(layer, "path", { class: "faint arrow" });
    const now = draw(layer, "path", { class: "chosen arrow" });
    const names = ["w*", "w̃"].map((text) => note(root, window_, [0, 0], text));
    return (seen) => {
      const { eigenvalues, Q, minimiser, alpha, moved, touch, time } = seen;
      const at = (t) => shrink.threeSteps(eigenvalues, Q, minimiser, alpha, t).point;
      const along = shrink.times(shrink.transpose(moved.axes), moved.point);
      [0, 1].forEach((i) => {
        const axis = [moved.axes[0][i], moved.axes[1][i]];
        const far = (length) => axis.map((value) => length * value);
        set(axes[i], { d: window_.line([far(-3 * EDGE), far(3 * EDGE)]) });
        set(parts[i], { d: window_.line([[0, 0], far(along[i])]) });
      });
      const half = eigenvalues.map((value) => Math.min(touch.ellipse / Math.sqrt(value) || 0, FAR));
      oval(ring, window_, moved.centre, half, moved.axes);
      oval(disc, window_, [0, 0], [touch.circle, touch.circle], Q);
      const times = Array.from({ length: 91 }, (_, i) => i / 30);
      set(trail, { d: window_.line([...times.filter((t) => t < time), time].map(at)) });
      set(ahead, { d: window_.line([time, ...times.filter((t) => t > time)].map(at)) });
      place(best, window_, minimiser);
      const [cx, cy] = window_.at(touch.point);
      set(goal, { cx, cy });
      set(from, { d: arrow(window_, [0, 0], minimiser) });
      set(now, { d: arrow(window_, [0, 0], moved.point) });
      write(names[0], window_, minimiser, toward([0, 0], minimiser, 18));
      write(names[1], window_, touch.point, beside(touch.point, minimiser));
    };
  }

  /** The dot on the hill that it walks on: L̃ with the term, L without (M2, M3). */
  function training(root) {
    const { window_, layer } = base(root);
    const hill = family(layer, "hill");
    const trail = draw(layer, "path", { class: "path", "marker-mid": `url(#${root.id}-step)` });
    const marker = { id: `${root.id}-step`, viewBox: "-2 -2 4 4", markerWidth: 6, markerHeight: 6 };
    draw(draw(root.querySelector("defs"), "marker", { ...marker, markerUnits: "userSpaceOnUse" }), "circle", {
      class: "footstep", r: 2,
    });
    const begin = handle(root, "Start of the training: arrow keys move it");
    draw(begin, "circle", { class: "start", r: 7 });
    const best = star(root, "");
    const goal = draw(root, "circle", { class: "goal", r: 6.5 });
    const dot = draw(root, "circle", { class: "runner", r: 5 });
    const names = ["w*", "w̃", "start"].map((text) => note(root, window_, [0, 0], text));
    function redraw(seen) {
      const { eigenvalues, Q, minimiser, alpha, touch, decay, run, start } = seen;
      const price = decay && alpha < Infinity ? alpha : 0;
      const centre = decay ? touch.point : minimiser;
      const steep = eigenvalues.map((value) => value + price);
      hill(window_, centre, steep, Q, 0, shrink.rise(steep, Q, centre, start));
      set(trail, { d: window_.line(run.trail) });
      place(begin, window_, start);
      place(best, window_, minimiser);
      const [cx, cy] = window_.at(touch.point);
      set(goal, { cx, cy });
      const outside = run.at.some((value) => Math.abs(value) > EDGE);
      const [x, y] = window_.at(run.at.map((value) => Math.min(EDGE, Math.max(-EDGE, value))));
      set(dot, { cx: x, cy: y, class: outside ? "runner lost" : "runner" });
      write(names[0], window_, minimiser, toward([0, 0], minimiser, 20));
      write(names[1], window_, touch.point, beside(touch.point, minimiser));
      write(names[2], window_, start, [0, 24]);
      set(names[2], { visibility: run.count ? "hidden" : "visible" });
    }
    return { redraw, window_, handle: begin };
  }

  return Object.freeze({ EDGE, look, touching, keeping, curves, stepping, training });
})();
