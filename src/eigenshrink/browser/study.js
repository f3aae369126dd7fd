"use strict";
/**
 * A study in the browser: every number at every strength, from the record that a page carries.
 *
 * One global, `live`; `live.open(record)` gives the study. It does not touch the page. Squared loss is computed
 * again from closed forms (maths.js); other losses and what needs rows are tables over log α with slopes,
 * whose largest error between two strengths `study.how` tells. The record is made by report/live/ in Python.
 */
globalThis.live = (() => {
  const PLACES = { f4: [Float32Array, 4], f8: [Float64Array, 8] };

  /** An array of the record: numbers, with its `shape`; rows of a matrix by `row(array, i)`. */
  function unpacked(found) {
    if (found === null || found === undefined) return null;
    const kind = "f4" in found ? "f4" : "f8";
    const [Numbers, size] = PLACES[kind];
    const text = atob(found[kind]);
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    const values = new Numbers(bytes.buffer, 0, bytes.length / size);
    values.shape = found.shape;
    return values;
  }

  function row(array, i) {
    const width = array.shape[array.shape.length - 1];
    return array.subarray(i * width, (i + 1) * width);
  }

  /** A number of the record: infinity is text there, and null is no number. */
  function scalar(found) {
    return found === null || found === undefined ? NaN : Number(found);
  }

  function open(record) {
    const grid = unpacked(record.alphas);
    const logs = Float64Array.from(grid, Math.log);
    const along = record.calibration
      ? Object.fromEntries(Object.entries(record.calibration).map(([name, each]) => [name, unpacked(each)])) : null;
    const places = along === null ? logs : Float64Array.from(grid, (alpha) => Math.log(place(alpha)));
    const targets = record.targets.map((one) => target(one));
    const layers = (record.layers || []).map((one) => ({
      ...one, norm: scalar(one.norm), used: unpacked(one.used), slopes: unpacked(one.slopes),
    }));

    // --- reading tables -------------------------------------------------------------------------------

    /** A table at one strength; beyond it its limits, `[at the weakest, at ∞]`, or its ends. */
    function tabled(values, slopes, alpha, limits = null) {
      const last = grid.length - 1;
      if (alpha < grid[0]) return alpha === scalar(record.weakest) && limits ? limits[0] : beyond(values, 0, limits, alpha);
      if (alpha > grid[last]) return alpha === Infinity && limits ? limits[1] : beyond(values, last, limits, alpha);
      return shrink.interpolate(logs, values, Math.log(alpha), slopes);
    }

    /** Past its ends a curve nears its limit with α or 1/α; without one it stays. */
    function beyond(values, end, limits, alpha) {
      const limit = limits ? limits[end === 0 ? 0 : 1] : NaN;
      if (!Number.isFinite(limit)) return values[end];
      const share = end === 0 ? alpha / grid[0] : grid[end] / alpha;
      return limit + (values[end] - limit) * share;
    }

    /** A table of a path, which is smooth in the path's own strength: it nears its limit at ∞ with 1/α. */
    function pathwise({ values, slopes, endless }, alpha) {
      const last = places.length - 1;
      const at = Math.log(place(alpha));
      const held = Math.min(places[last], Math.max(places[0], at));
      const inside = shrink.interpolate(places, values, held, slopes);
      if (!(at > places[last]) || !Number.isFinite(endless)) return inside;
      return endless + (inside - endless) * Math.exp(places[last] - at);
    }

    /** The place of a strength on the path of a network; elsewhere its own. */
    function place(alpha) {
      if (along === null || alpha === 0 || alpha === Infinity) return alpha;
      const { strengths, places, rates } = along;
      const held = Math.min(strengths[strengths.length - 1], Math.max(strengths[0], Math.log(alpha)));
      return Math.exp(shrink.interpolate(strengths, places, held, rates) + Math.log(alpha) - held);
    }

    // --- one target -----------------------------------------------------------------------------------

    function target(one) {
      const made = one.weights;
      const spectrum = unpacked(one.directions.eigenvalues);
      const signal = one.signal && {
        ...one.signal,
        eigenvalues: unpacked(one.signal.eigenvalues),
        squares: unpacked(one.signal.squares),
      };
      return {
        ...one,
        signal,
        spectrum,
        path: Object.fromEntries(Object.entries(one.path).map(([name, table]) => [name, opened(table)])),
        criteria: one.criteria.map((curve) => ({
          ...curve,
          values: unpacked(curve.values),
          slopes: unpacked(curve.slopes),
          limits: curve.limits.map(scalar),
          band: unpacked(curve.band),
          minimum: curve.minimum
            ? { ...curve.minimum, alpha: scalar(curve.minimum.alpha), value: scalar(curve.minimum.value) }
            : null,
        })),
        weights: "rows" in made
          ? { rows: unpacked(made.rows), base: unpacked(made.base), numerators: unpacked(made.numerators),
              intercept: made.intercept && { row: unpacked(made.intercept.row), base: scalar(made.intercept.base) } }
          : { table: unpacked(made.table), slopes: unpacked(made.slopes), limits: unpacked(made.limits),
              intercept: made.intercept && opened(made.intercept) },
        standardErrors: unpacked(one.standardErrors),
        edges: unpacked(one.directions.edges),
        above: unpacked(one.directions.above),
        residuals: one.residuals && {
          fitted: unpacked(one.residuals.fitted),
          residual: unpacked(one.residuals.residual),
          leverage: unpacked(one.residuals.leverage),
          row: unpacked(one.residuals.row),
          rows: one.residuals.rows,
          at: scalar(one.residuals.at),
        },
      };
    }

    function opened(table) {
      return { values: unpacked(table.values), slopes: unpacked(table.slopes),
               limits: unpacked(table.limits), endless: scalar(table.endless) };
    }

    /** Eigenvalues that weights are sums along; those of `spectrum` are all of them then. */
    function terms(t, alpha) {
      const { weights, spectrum } = targets[t];
      return shrink.coordinates(spectrum, weights.numerators, place(alpha));
    }

    function coefficients(t, alpha, shown = record.columns.names.keys()) {
      const { weights } = targets[t];
      if (weights.rows) {
        const moved = terms(t, alpha);
        return Float64Array.from(shown, (i) => weights.base[i] + dot(row(weights.rows, i), moved));
      }
      return Float64Array.from(shown, (i) =>
        tabled(row(weights.table, i), row(weights.slopes, i), alpha, row(weights.limits, i)));
    }

    function intercept(t, alpha) {
      const { weights } = targets[t];
      if (!weights.intercept) return null;
      if (weights.intercept.row) return weights.intercept.base + dot(weights.intercept.row, terms(t, alpha));
      return tabled(weights.intercept.values, weights.intercept.slopes, alpha, weights.intercept.limits);
    }

    // --- numbers at one strength ------------------------------------------------------------------------

    const CLOSED = {
      train: (signal, alpha) => shrink.trainLoss(signal, alpha),
      gcv: (signal, alpha) => shrink.gcv(signal, alpha),
      cp: (signal, alpha) => shrink.cp(signal, alpha),
      evidence: (signal, alpha) => shrink.evidence(signal, alpha),
    };

    function value(t, name, alpha) {
      const curve = targets[t].criteria.find((one) => one.name === name);
      if (!curve) return NaN;
      if (curve.exact) return CLOSED[name](targets[t].signal, alpha);
      return tabled(curve.values, curve.slopes, alpha, curve.limits);
    }

    function gamma(t, alpha) {
      const { signal, path, spectrum } = targets[t];
      if (path.effective_parameters) return pathwise(path.effective_parameters, alpha);
      return shrink.effectiveParameters(spectrum, alpha, signal ? signal.freeRank : record.freeRank);
    }

    /** As it was measured, where it was: of a network the path only predicts it. */
    function trainLoss(t, alpha) {
      const { signal, path } = targets[t];
      if (!path.train_loss) return signal ? shrink.trainLoss(signal, alpha) : NaN;
      const measured = value(t, "train", alpha);
      return Number.isFinite(measured) ? measured : pathwise(path.train_loss, alpha);
    }

    function norm(t, alpha) {
      const { path } = targets[t];
      return path.norm ? pathwise(path.norm, alpha) : shrink.norm(terms(t, alpha));
    }

    function estimate(t, alpha) {
      const curve = targets[t].criteria.find((one) => one.quoted);
      if (!curve) return null;
      const error = curve.band ? tabled(curve.band, null, alpha) : NaN;
      return { name: curve.name, label: curve.label, value: value(t, curve.name, alpha), error };
    }

    function state(t, alpha) {
      const named = targets[t].criteria.map((curve) => [curve.name, value(t, curve.name, alpha)]);
      return {
        alpha, gamma: gamma(t, alpha), of: scalar(record.parameters), trainLoss: trainLoss(t, alpha),
        norm: norm(t, alpha), estimate: estimate(t, alpha), criteria: Object.fromEntries(named),
        intercept: intercept(t, alpha),
      };
    }

    // --- curves over all strengths ------------------------------------------------------------------------

    function over(compute) {
      return Float64Array.from(grid, compute);
    }

    function criteria(t) {
      return targets[t].criteria.map((curve) => ({
        name: curve.name, label: curve.label, unit: curve.unit, describing: curve.describing, chose: curve.chose,
        quoted: curve.quoted, exact: curve.exact, minimum: curve.minimum, error: curve.error || 0,
        values: curve.values, band: curve.band,
      }));
    }

    function coefficientPaths(t) {
      const count = record.columns.names.length;
      const values = Array.from({ length: count }, () => new Float64Array(grid.length));
      grid.forEach((alpha, j) => coefficients(t, alpha).forEach((each, i) => { values[i][j] = each; }));
      return { values };
    }

    // --- directions ---------------------------------------------------------------------------------------

    /** Times by which the curvature counts for more than at `w₀`: α/t of a network, 1 elsewhere. */
    function bend(alpha) {
      return along === null || alpha === 0 || alpha === Infinity ? 1 : alpha / place(alpha);
    }

    function directions(t) {
      return targets[t].directions.listed.map((one, i) => ({
        number: i + 1, eigenvalue: scalar(one.eigenvalue), coordinate: scalar(one.coordinate), made: one.made,
      }));
    }

    function shares(t, alpha) {
      return shrink.factors(targets[t].spectrum.subarray(0, targets[t].directions.listed.length), place(alpha));
    }

    /** How many directions keep 0.9 of their weight or more, 0.1 or less, or something between (M8). */
    function survival(t, alpha) {
      const { edges, above, spectrum, directions: { removable } } = targets[t];
      const at = place(alpha);
      const beyondOf = (limit) => {
        if (edges) return limit <= edges[0] ? above[0] : limit >= edges[edges.length - 1] ? 0 : counted(edges, above, limit);
        return spectrum.filter((each) => each >= limit && each > 0).length;
      };
      const kept = at === Infinity ? 0 : Math.round(beyondOf(9 * at));
      const gone = at === Infinity ? removable : Math.round(removable - beyondOf(at / 9));
      return { kept, fading: Math.max(0, removable - kept - gone), gone };
    }

    function counted(edges, above, limit) {
      return shrink.interpolate(Float64Array.from(edges, Math.log), above, Math.log(limit));
    }

    // --- planes -------------------------------------------------------------------------------------------

    const paths = new Map();

    function plane(t, id, alpha) {
      const found = targets[t].planes.find((one) => one.id === id);
      return found.kind === "columns" ? ofColumns(t, found, alpha) : ofDirections(found, alpha);
    }

    function ofDirections(found, alpha) {
      const grown = bend(alpha);
      const eigenvalues = found.eigenvalues.map((each) => each * grown);
      const minimiser = shrink.times(found.rotation, found.coordinates);
      const solved = (strength) =>
        shrink.solution(found.eigenvalues, found.rotation, minimiser, place(strength));
      return { ...described(found), eigenvalues, rotation: found.rotation, coordinates: found.coordinates,
               minimiser, solution: solved(alpha), path: pathOf(found, solved) };
    }

    /** The pair of weights as it is at α, in a picture where the others stay: there αDw̃ = −∇L (M1). */
    function ofColumns(t, found, alpha) {
      const pair = (strength) => {
        const values = coefficients(t, strength, found.shown);
        return found.scale.map((scale, i) => values[i] * scale);
      };
      const solution = pair(alpha);
      const { eigenvalues, rotation } = symmetric(found.block.map((line) => line.map((each) => each * bend(alpha))));
      const own = shrink.times(shrink.transpose(rotation), solution);
      const coordinates = own.map((each, i) => (each === 0 || !(eigenvalues[i] > 0) ? 0 : each + (finite(alpha) * each) / eigenvalues[i]));
      return { ...described(found), eigenvalues, rotation, coordinates,
               minimiser: shrink.times(rotation, coordinates), solution, path: pathOf(found, pair) };
    }

    /** The path of a plane in which it does not move with α: made once. */
    function pathOf(found, solved) {
      if (!paths.has(found)) paths.set(found, Array.from(grid, solved));
      return paths.get(found);
    }

    function finite(alpha) {
      return alpha === Infinity ? 0 : alpha;
    }

    function described(found) {
      const { id, kind, label, axes, directions: names, says, note } = found;
      return { id, kind, label, axes, directions: names, says, note };
    }

    return Object.freeze({
      record, grid,
      kind: record.kind, squared: record.squared, unit: record.unit, how: record.how,
      targets: targets.map((one) => one.name), targetCount: record.targetCount,
      low: grid[0], high: grid[grid.length - 1], weakest: scalar(record.weakest),
      columns: record.columns.names.map((name, i) => ({ name, place: record.columns.places[i] })),
      columnCount: record.columns.count, parameters: scalar(record.parameters),
      chosen: (t) => scalar(targets[t].alpha),
      interval: (t) => (targets[t].interval ? targets[t].interval.map(scalar) : null),
      boundary: (t) => targets[t].boundary,
      criterion: (t) => targets[t].criterion,
      exact: (name) => targets.length > 0 && targets[0].criteria.some((one) => one.name === name && one.exact),
      state, value, criteria, coefficients, intercept, coefficientPaths,
      standardErrors: (t) => targets[t].standardErrors,
      gammas: (t) => over((alpha) => gamma(t, alpha)),
      trainLosses: (t) => over((alpha) => trainLoss(t, alpha)),
      directions, shares, survival, spectrum: (t) => targets[t].spectrum, bend, place,
      directionCount: (t) => targets[t].directions.count,
      removable: (t) => targets[t].directions.removable,
      planes: (t) => targets[t].planes.map(({ id, kind, label }) => ({ id, kind, label })),
      plane,
      residuals: (t) => targets[t].residuals,
      layers: (alpha) => layers.map(({ used, slopes, ...one }) => ({ ...one, used: pathwise({ values: used, slopes }, alpha) })),
      trusted: record.trusted ? record.trusted.map(scalar) : null,
      trained: record.trained === undefined ? NaN : scalar(record.trained),
      measured: record.measured
        ? Object.fromEntries(Object.entries(record.measured).map(([name, each]) => [name, unpacked(each)]))
        : null,
    });
  }

  /** Eigenvalues, descending, and a proper rotation of a symmetric 2×2 matrix. */
  function symmetric([[a, b], [, c]]) {
    const angle = 0.5 * Math.atan2(2 * b, a - c);
    const half = Math.hypot(0.5 * (a - c), b);
    const middle = 0.5 * (a + c);
    const values = [middle + half, Math.max(0, middle - half)];
    if (values[1] <= 1e-12 * values[0]) values[1] = 0;
    return { eigenvalues: values, rotation: shrink.rotation(angle) };
  }

  function dot(left, right) {
    let total = 0;
    for (let i = 0; i < right.length; i++) total += left[i] * right[i];
    return total;
  }

  return Object.freeze({ open });
})();
