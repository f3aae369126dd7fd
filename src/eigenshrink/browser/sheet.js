"use strict";
/**
 * What pictures in a plane of two weights are made of: a window, level lines, arrows, points, names.
 *
 * One global, `sheet`. A drawing is SIZE units wide, whatever part of the plane it shows.
 */
globalThis.sheet = (() => {
  const { draw, set, tick, write } = frame;
  const SIZE = 400;
  const FAR = 40; // half windows at which an ellipse along a flat direction is cut
  const WAYS = 16; // round a point, in which its name may stand

  // --- windows ----------------------------------------------------------------------------------------

  /** A window from the corner `low` to the corner `high`, the second coordinate upwards. */
  function box(low, high) {
    const wide = high.map((value, i) => value - low[i]);
    const middle = low.map((value, i) => value + wide[i] / 2);
    const at = ([x, y]) => [((x - low[0]) * SIZE) / wide[0], ((high[1] - y) * SIZE) / wide[1]];
    const from = ([x, y]) => [low[0] + (x * wide[0]) / SIZE, high[1] - (y * wide[1]) / SIZE];
    const place = (point) => at(point).map((value) => value.toFixed(6)).join(" ");
    /** The nearest point of the window, or of one `margin` times as large. */
    const inside = (point, margin = 1) => point.map((value, i) => (
      Math.min(middle[i] + (margin * wide[i]) / 2, Math.max(middle[i] - (margin * wide[i]) / 2, value))));
    /** Points as the `d` of a path, cut off far outside of the window. */
    const line = (points) => (points.length ? `M${points.map((point) => place(inside(point, 20))).join("L")}` : "");
    const holds = (point) => point.every((value, i) => Math.abs(value - middle[i]) <= (wide[i] / 2) * (1 + 1e-9));
    return { low, high, wide, at, from, place, line, holds, inside };
  }

  /** A square window of the plane, `half` to each side of its middle. */
  function square(half, middle = [0, 0]) {
    const made = box(middle.map((value) => value - half), middle.map((value) => value + half));
    return { ...made, half, middle, scale: SIZE / (2 * half) };
  }

  /** Round numbers from low to high, about `count` of them. */
  function ticks(low, high, count = 6) {
    const power = 10 ** Math.floor(Math.log10((high - low) / count));
    const step = power * [1, 2, 5, 10].find((times) => times * power * count >= (high - low) * (1 - 1e-9));
    const first = Math.ceil(low / step - 1e-9);
    return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
  }

  /**
   * Grid, numbers and names of the axes, under a layer that is clipped to the window.
   *
   * `rule(window, names)` draws them anew. Numbers stand outside of the window, or beside the axes where
   * `inside` is asked for, every second one of `count`.
   */
  function base(root, name, { inside = false, count = 6 } = {}) {
    const clip = draw(draw(root, "defs"), "clipPath", { id: `${name}-clip` });
    draw(clip, "rect", { width: SIZE, height: SIZE });
    const back = draw(root, "g");
    const layer = draw(root, "g", { "clip-path": `url(#${name}-clip)` });
    let ruled = "";
    function rule(window_, names) {
      const asked = JSON.stringify([window_.low, window_.high, names]);
      if (asked === ruled) return;
      ruled = asked;
      back.replaceChildren();
      (inside ? ruleInside : ruleOutside)(back, window_, names, count);
    }
    return { layer, rule };
  }

  function ruleInside(back, window_, names, count) {
    lines(back, window_, count, (value, i) => {
      if (value === 0 || i % 2) return;
      say(back, "tick", ...shifted(window_, [value, 0], [0, 15]), tick(value));
      say(back, "tick", ...shifted(window_, [0, value], [-12, 4]), tick(value));
    });
    say(back, "name", SIZE - 16, window_.at([0, 0])[1] - 8, names[0]);
    say(back, "name", window_.at([0, 0])[0] + 16, 14, names[1]);
  }

  function ruleOutside(back, window_, names, count) {
    lines(back, window_, count, (value, i, across) => {
      const [x, y] = window_.at([value, value]);
      if (across) say(back, "tick", x, SIZE + 16, tick(value));
      else say(back, "tick up", -7, y + 4, tick(value));
    });
    if (names[0]) write(say(back, "name across", SIZE, SIZE + 38, ""), `${names[0]} →`, 44);
    if (names[1]) write(say(back, "name upward", -46, -10, ""), `↑ ${names[1]}`, 44);
  }

  /** Lines of the grid; `each(value, i, across)` is told of those away from the edges. */
  function lines(back, window_, count, each) {
    [0, 1].forEach((axis) => {
      const [low, high] = [window_.low[axis], window_.high[axis]];
      const ends = [window_.low[1 - axis], window_.high[1 - axis]];
      ticks(low, high, count).forEach((value, i) => {
        if (Math.min(value - low, high - value) < 0.005 * (high - low)) return;
        const kind = value === 0 ? "axis" : "grid";
        draw(back, "path", { class: kind, d: window_.line(ends.map((end) => (axis ? [end, value] : [value, end]))) });
        each(value, i, axis === 0);
      });
    });
  }

  function shifted(window_, point, shift) {
    return window_.at(point).map((value, i) => value + shift[i]);
  }

  /** Write a text at a place of the drawing. */
  function say(parent, kind, x, y, text) {
    const made = draw(parent, "text", { class: kind, x, y });
    made.textContent = text;
    return made;
  }

  // --- lines ------------------------------------------------------------------------------------------

  /** An ellipse of the window: half axes along the columns of Q around `centre`. */
  function oval(element, window_, centre, half, Q) {
    const degrees = (-180 / Math.PI) * Math.atan2(Q[1][0], Q[0][0]);
    set(element, {
      rx: half[0] * window_.scale,
      ry: half[1] * window_.scale,
      transform: `translate(${window_.place(centre)}) rotate(${degrees})`,
    });
  }

  /** Half axes of L = L* + size²/2; a flat one is cut far outside of the window. */
  function halves(window_, eigenvalues, size) {
    return eigenvalues.map((value) => Math.min(size / Math.sqrt(value) || 0, FAR * window_.half));
  }

  /** A family of level lines; sizes at equal steps, the touching one among them and heavy (M10). */
  function family(layer, kind, rings) {
    const made = Array.from({ length: 2 * rings }, () => draw(layer, "ellipse", { class: kind }));
    return (window_, centre, eigenvalues, Q, touch, full) => {
      const wanted = sizes(touch, full || window_.half / Math.sqrt(Math.max(...eigenvalues) || 1), rings);
      made.forEach((line, i) => {
        const [size, heavy] = wanted[i] || [0, false];
        set(line, { class: heavy ? `${kind} heavy` : kind, visibility: wanted[i] ? "visible" : "hidden" });
        oval(line, window_, centre, halves(window_, eigenvalues, size), Q);
      });
    };
  }

  /** Sizes at equal steps, about `rings` of them up to `full`; the touching one is among them. */
  function sizes(touch, full, rings) {
    const steps = Array.from({ length: 2 * rings - 1 }, (_, i) => i + 1);
    if (!(touch > 1e-9 * full)) return steps.map((step) => [(full * step) / rings, false]);
    const between = Math.round((rings * touch) / full);
    if (between === 0) return [[touch, true], ...steps.map((step) => [(full * step) / rings, false])];
    return steps.map((step) => [(touch * step) / between, step === between]);
  }

  /** Path of an arrow from one point to another, with a head of fixed size. */
  function arrow(window_, from, to) {
    const [a, b] = [window_.at(from), window_.at(to)];
    const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
    if (length < 1) return "";
    const [x, y] = [(b[0] - a[0]) / length, (b[1] - a[1]) / length];
    const head = Math.min(9, length);
    const wing = (side) => `${b[0] - head * (x + 0.45 * side * y)} ${b[1] - head * (y - 0.45 * side * x)}`;
    return `M${a.join(" ")}L${b.join(" ")}M${wing(1)}L${b.join(" ")}L${wing(-1)}`;
  }

  /** Strengths from 0 to ∞ that show all of a path, ascending. */
  function strengths(eigenvalues) {
    const seen = eigenvalues.filter((value) => value > 0);
    const [low, high] = seen.length ? [1e-4 * Math.min(...seen), 1e4 * Math.max(...seen)] : [1, 2];
    const between = Array.from({ length: 241 }, (_, i) => low * (high / low) ** (i / 240));
    return [0, ...between, Infinity];
  }

  // --- points and their names -------------------------------------------------------------------------

  /** A five-pointed star around the middle of `parent`. */
  function star(parent) {
    const tips = Array.from({ length: 10 }, (_, i) => {
      const [radius, turn] = [i % 2 ? 4 : 9.5, (i * Math.PI) / 5];
      return `${(radius * Math.sin(turn)).toFixed(2)} ${(-radius * Math.cos(turn)).toFixed(2)}`;
    });
    return draw(parent, "path", { class: "star", d: `M${tips.join("L")}Z` });
  }

  /** Move a circle to a point; outside of the window it stays at its edge and is marked. */
  function put(circle, window_, point) {
    const [cx, cy] = window_.at(window_.inside(point));
    set(circle, { cx, cy });
    circle.classList.toggle("outside", !window_.holds(point));
  }

  /** The part of a line, in units of the drawing, that lies in the box around (x, y). */
  function crosses(from, to, [x, y], [wide, high]) {
    let [enter, leave] = [0, 1];
    for (const [start, step, low, high_] of [
      [from[0], to[0] - from[0], x - wide, x + wide], [from[1], to[1] - from[1], y - high, y + high],
    ]) {
      if (step === 0 && (start < low || start > high_)) return false;
      if (step === 0) continue;
      const [one, two] = [(low - start) / step, (high_ - start) / step];
      enter = Math.max(enter, Math.min(one, two));
      leave = Math.min(leave, Math.max(one, two));
    }
    return enter <= leave;
  }

  /**
   * Put names beside their points, where they cover no line, no point and no other name.
   *
   * @param {{element: SVGElement, point: number[], toward: number[]}[]} names  point of the plane; where
   *   the name stands by preference, as a direction in the drawing
   * @param {number[][][]} lines_  of points of the plane
   */
  function settle(window_, names, lines_) {
    const drawn = lines_.map((line) => line.map(window_.at));
    const boxes = names.map(({ point }) => ({ at: window_.at(window_.inside(point)), half: [9, 9] }));
    for (const { element, point, toward } of names) {
      const half = [5 * element.textContent.length + 3, 10];
      const here = window_.at(window_.inside(point, 0.97));
      const best = choose(spots(here, half, toward), half, drawn, boxes);
      set(element, { x: best[0], y: best[1] });
      boxes.push({ at: best, half });
    }
  }

  /** Places around a point, the wanted side first, then farther away. */
  function spots(here, half, [dx, dy]) {
    const begin = Math.atan2(dy, dx);
    return [10, 18, 30, 46, 66].flatMap((away) => Array.from({ length: WAYS }, (_, i) => {
      const turn = begin + ((i % 2 ? 1 : -1) * Math.ceil(i / 2) * 2 * Math.PI) / WAYS;
      const [x, y] = [Math.cos(turn), Math.sin(turn)];
      const reach = away + Math.min(half[0] / Math.abs(x), half[1] / Math.abs(y));
      return [here[0] + reach * x, here[1] + reach * y];
    }));
  }

  /** The first place where nothing is covered, else the one where least is. */
  function choose(places, half, drawn, boxes) {
    let [best, least] = [places[0], Infinity];
    for (const place of places) {
      const out = place.some((value, i) => value - half[i] < 0 || value + half[i] > SIZE);
      const met = boxes.filter(({ at, half: other }) => (
        [0, 1].every((i) => Math.abs(at[i] - place[i]) < other[i] + half[i]))).length;
      const hit = drawn.filter((line) => line.some((to, i) => i && crosses(line[i - 1], to, place, half))).length;
      const cost = (out ? 100 : 0) + 10 * met + hit;
      if (cost < least) [best, least] = [place, cost];
      if (least === 0) break;
    }
    return best;
  }

  /** Direction in the drawing from one point of the plane to another. */
  function toward(from, to) {
    return [to[0] - from[0], from[1] - to[1]];
  }

  /** Where the name of w̃ stands: across the line from 0 to w*, on the outer side of the path. */
  function beside(point, best) {
    const across = [best[1], -best[0]];
    const side = across[0] * (point[0] - best[0] / 2) + across[1] * (point[1] - best[1] / 2) < 0 ? -1 : 1;
    return toward([0, 0], [side * across[0], side * across[1]]);
  }

  return Object.freeze({
    SIZE, box, square, ticks, base, say, oval, halves, family, sizes, arrow, strengths, star, put, settle, toward, beside,
  });
})();
