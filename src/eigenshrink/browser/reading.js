"use strict";
/** What the drawings of a study show at one strength: pure functions of what `live` answers (M7, M10). */
globalThis.reading = (() => {
  const { number, pair, percent } = frame;
  const PAD = 1.35; // times the part of the plane that has to be seen
  const MOST = [3.5, 2.5]; // times the usual part at which what runs away is cut: of a path, of the three steps
  const OTHER = 0.004; // of half a window, by which two paths differ to the eye
  const LOOKS = 9; // strengths at which the window is made

  /** What the reader asked for of a target, else the first plane there is. */
  function asked(study, { target, plane: wanted }) {
    const listed = study.planes(target);
    return listed.find(({ id }) => id === wanted) || listed[0] || null;
  }

  /**
   * `look(state)` gives what is drawn, `kind` says which picture: plane, line, or nothing.
   *
   * What stays while α moves is made once for each plane; the last answer is kept for the second drawing.
   */
  function looker(study) {
    const known = new Map();
    let [last, seen] = ["", null];
    return (state) => {
      const one = asked(study, state);
      const key = JSON.stringify([state.target, one && one.id, String(state.alpha)]);
      if (key === last) return seen;
      const still = JSON.stringify([state.target, one && one.id]);
      if (one && !known.has(still)) known.set(still, lasting(study, state.target, one.id));
      seen = one ? ofPlane(study, state, one, known.get(still)) : ofLine(study, state);
      last = key;
      return seen;
    };
  }

  /** The windows of both drawings of a plane, and the ends of the path in it. */
  function lasting(study, target, id) {
    const at = (alpha) => study.plane(target, id, alpha);
    const every = study.grid.filter((_, i) => i % Math.ceil(study.grid.length / LOOKS) === 0);
    const pictures = [...every, study.high].map(at);
    const chosen = at(usual(study, target));
    const must = [[0, 0], chosen.minimiser, chosen.solution];
    const may = [...pictures.flatMap((one) => [one.minimiser, one.solution]), ...chosen.path];
    const ends = [study.weakest === 0 ? at(0).solution : null, at(Infinity).solution]
      .map((end) => (end && known(end) ? end : null));
    const moved = pictures.flatMap((one, i) => turned(one, every[i] || study.high));
    return {
      window: windowOf(must, may.concat(ends.filter(Boolean)), MOST[0]),
      stage: windowOf([[0, 0], ...turned(chosen, usual(study, target))], moved, MOST[1]),
      ends,
    };
  }

  /** Where the three steps pass. */
  function turned({ eigenvalues, rotation, minimiser }, alpha) {
    return Array.from({ length: 25 }, (_, i) => (
      shrink.threeSteps(eigenvalues, rotation, minimiser, alpha, i / 8).point));
  }

  /** The chosen strength, or the middle of all where that is an end. */
  function usual(study, target) {
    const chosen = study.chosen(target);
    return chosen > 0 && chosen < Infinity ? chosen : Math.sqrt(study.low * study.high);
  }

  /** A square around the points that must be seen, and those that may, unless they are far out. */
  function windowOf(must, may, most) {
    const [narrow, wide] = [must, must.concat(may)].map((points) => around(points.filter(known)));
    if (!(narrow.half > 0)) return sheet.square(PAD * wide.half || 1, wide.middle);
    if (wide.half <= most * narrow.half) return sheet.square(PAD * wide.half, wide.middle);
    return sheet.square(PAD * most * narrow.half, narrow.middle);
  }

  function around(points) {
    const [low, high] = [Math.min, Math.max].map((end) => [0, 1].map((i) => end(...points.map((point) => point[i]))));
    return {
      half: 0.5 * Math.max(high[0] - low[0], high[1] - low[1]),
      middle: [0, 1].map((i) => 0.5 * (low[i] + high[i])),
    };
  }

  function known(point) {
    return point.every(Number.isFinite);
  }

  function ofPlane(study, { target, alpha }, one, { window, stage, ends }) {
    // At ∞ the best pair is that of very large strengths: the others hold nothing.
    const found = study.plane(target, one.id, alpha === Infinity ? study.high : alpha);
    const { eigenvalues, rotation: Q, minimiser } = found;
    const at = (strength) => study.plane(target, one.id, strength).solution;
    const solution = alpha === Infinity ? at(alpha) : found.solution;
    if (!known([...minimiser, ...solution])) return { kind: "unknown", alpha, asked: one, note: found.note };
    const strengths = [...(ends[0] ? [0] : []), ...study.grid, ...(ends[1] ? [Infinity] : [])];
    const path = [...(ends[0] ? [ends[0]] : []), ...found.path, ...(ends[1] ? [ends[1]] : [])];
    const inner = alpha > 0 && alpha < Infinity;
    return {
      kind: "plane", asked: one, alpha, eigenvalues, Q, minimiser, solution, window, stage,
      names: found.axes, directions: found.directions, says: found.says, star: found.says.split(",")[0],
      note: found.note, share: Array.from(shrink.factors(eigenvalues, alpha)),
      touch: shrink.touching(eigenvalues, Q, minimiser, alpha),
      strengths, path, believed: believed(study.trusted, strengths, path, at),
      held: held(eigenvalues, Q, minimiser, found.path, window),
      marks: inner ? [at(alpha / 10), at(10 * alpha)].filter(known) : [],
    };
  }

  /** The trusted part of a path; null where that is all of it (M18). */
  function believed(trusted, strengths, path, at) {
    if (!trusted || (trusted[0] === 0 && trusted[1] === Infinity)) return null;
    const [low, high] = trusted;
    const between = path.filter((_, i) => strengths[i] > low && strengths[i] < high);
    return [at(low), ...between, at(high)].filter(known);
  }

  /** The path of the quadratic that is drawn, where it is not the one that w̃ takes. */
  function held(eigenvalues, Q, minimiser, path, window) {
    const own = sheet.strengths(eigenvalues).map((alpha) => shrink.solution(eigenvalues, Q, minimiser, alpha));
    const far = path.filter((point, i) => i % 4 === 0 && known(point))
      .some((point) => distance(point, own) > OTHER * window.half);
    return far ? own : null;
  }

  /** Distance of a point from a line of points. */
  function distance([x, y], line) {
    let least = Infinity;
    for (let i = 1; i < line.length; i++) {
      const [[a, b], [c, d]] = [line[i - 1], line[i]];
      const square = (c - a) ** 2 + (d - b) ** 2;
      const part = square > 0 ? Math.min(1, Math.max(0, ((x - a) * (c - a) + (y - b) * (d - b)) / square)) : 0;
      least = Math.min(least, Math.hypot(x - a - part * (c - a), y - b - part * (d - b)));
    }
    return least;
  }

  /** The only direction along which the loss is curved, as a plane that has nothing to rotate. */
  function ofLine(study, { target, alpha }) {
    const only = study.directions(target).find(({ eigenvalue }) => eigenvalue > 0);
    if (!only) return { kind: "nothing", asked: null, alpha };
    const eigenvalues = [only.eigenvalue * (study.bend ? study.bend(alpha) : 1), 0];
    const minimiser = [only.coordinate, 0];
    const Q = [[1, 0], [0, 1]];
    const touch = shrink.touching(eigenvalues, Q, minimiser, alpha);
    const stage = sheet.square(PAD * Math.abs(only.coordinate) || 1, [only.coordinate / 2, 0]);
    const reach = Math.abs(only.coordinate) || 1;
    const ends = [Math.min(only.coordinate, 0) - 0.5 * reach, Math.max(only.coordinate, 0) + 0.5 * reach];
    const top = Math.max(...ends.map((v) => 0.5 * only.eigenvalue * (v - only.coordinate) ** 2));
    const window = sheet.box([ends[0], -0.05 * top], [ends[1], 1.15 * top]);
    return {
      kind: "line", line: true, asked: null, alpha, eigenvalues, Q, minimiser, touch, solution: touch.point,
      window, stage, share: Array.from(shrink.factors(eigenvalues, alpha)),
      names: ["weight along the direction", `unit of the ${study.unit}`], directions: ["the only direction", ""],
      says: "w*", star: "w*", note: "",
    };
  }

  /** The strength of the point of the path nearest to a point of the plane. */
  function nearest({ path, strengths }, point) {
    let [best, least] = [strengths[0], Infinity];
    for (let i = 1; i < path.length; i++) {
      const [[a, b], [c, d]] = [path[i - 1], path[i]];
      const square = (c - a) ** 2 + (d - b) ** 2;
      const along = square > 0 ? ((point[0] - a) * (c - a) + (point[1] - b) * (d - b)) / square : 0;
      const part = Math.min(1, Math.max(0, along));
      const away = Math.hypot(point[0] - a - part * (c - a), point[1] - b - part * (d - b));
      if (away < least) [best, least] = [between(strengths[i - 1], strengths[i], part), away];
    }
    return best;
  }

  function between(low, high, part) {
    if (low === 0) return part < 0.5 ? 0 : high;
    if (high === Infinity) return part < 0.5 ? low : Infinity;
    return Number((low ** (1 - part) * high ** part).toPrecision(3));
  }

  // --- words and numbers ------------------------------------------------------------------------------

  function kept({ share, directions, asked: one }, i) {
    return `${percent(share[i])} along ${one && one.kind === "columns" ? "the " : ""}${directions[i]}`;
  }

  /** The picture in a few sentences (M6, M8, M10). */
  function told(seen) {
    const { kind, alpha, solution, touch, minimiser, window } = seen;
    if (kind === "nothing") return "Nothing to draw: no penalised column varies, so the loss has no direction.";
    if (kind === "unknown") return `Nothing to draw at α = ${number(alpha)}: no solution is known there.`;
    if (kind === "line") {
      return `α = ${number(alpha)} keeps ${kept(seen, 0)}: w̃ = ${number(solution[0], 3)} there, w* = `
        + `${number(minimiser[0], 3)}. With one direction there is no plane to draw, and nothing to rotate.`;
    }
    const said = [`α = ${number(alpha)} keeps ${kept(seen, 0)} and ${kept(seen, 1)}.`];
    const apart = Math.hypot(solution[0] - touch.point[0], solution[1] - touch.point[1]) > 0.01 * window.half;
    if (alpha === Infinity) said.push("Of the circle only the point 0 is left: w̃ = 0.");
    else if (alpha === 0) said.push(`There is no penalty: w̃ = ${pair(solution)}.`);
    else if (!apart) said.push(`Ellipse and circle touch in w̃ = ${pair(solution)}.`);
    if (apart) {
      said.push(`w̃ is at ${pair(solution)}; the quadratic that is drawn would have it at ${pair(touch.point)}, `
        + "where ellipse and circle touch.");
    }
    return said.join(" ") + beyond(window, minimiser);
  }

  /** Where the star is, if it stands at the edge of a picture only because it lies beyond. */
  function beyond(window, minimiser) {
    return window.holds(minimiser) ? "" : ` The star lies outside of the picture, at ${pair(minimiser)}.`;
  }

  const HEADS = ["what", "along", "value"];

  /** Rows of a quantity along both of something. */
  function both(seen, what, along, values) {
    return values.slice(0, seen.line ? 1 : 2).map((value, i) => [what, along[i], value]);
  }

  /** The numbers behind the contour picture. */
  function contourTable(seen) {
    if (!seen.eigenvalues) return { heads: HEADS, rows: [] };
    const { eigenvalues, share, names, directions, minimiser, solution, touch, alpha } = seen;
    const price = alpha === Infinity || touch.circle === 0 ? 0 : 0.5 * alpha * touch.circle ** 2;
    return {
      heads: HEADS,
      rows: [
        ["strength α", "", alpha],
        ...both(seen, "curvature λ", directions, eigenvalues),
        ...both(seen, "share kept, λ/(λ+α)", directions, share),
        ...both(seen, `${seen.says} (the star)`, names, minimiser),
        ...both(seen, "w̃ (the dot)", names, solution),
        ["radius of the circle that touches", "", touch.circle],
        ["rise of the loss there", "", 0.5 * touch.ellipse ** 2],
        ["penalty there", "", price],
      ],
    };
  }

  /** The numbers behind the three steps. */
  function stepsTable(seen) {
    if (!seen.eigenvalues) return { heads: HEADS, rows: [] };
    const { Q, minimiser, share, names, directions, touch } = seen;
    const rotated = shrink.times(shrink.transpose(Q), minimiser);
    return {
      heads: HEADS,
      rows: [
        ["angle of the rotation, degrees", "", (180 / Math.PI) * Math.atan2(Q[1][0], Q[0][0])],
        ...both(seen, seen.says, names, minimiser),
        ...both(seen, "rotated", directions, rotated),
        ...both(seen, "factor, λ/(λ+α)", directions, share),
        ...both(seen, "scaled", directions, rotated.map((value, i) => share[i] * value)),
        ...both(seen, "rotated back", names, touch.point),
      ],
    };
  }

  return Object.freeze({ asked, looker, nearest, told, beyond, contourTable, stepsTable });
})();
