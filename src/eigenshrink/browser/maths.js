"use strict";
/**
 * The mathematics of docs/maths.md in the browser: pure functions of numbers, none touches the page.
 *
 * One global, `shrink`, from a plain script, so that a page works from disk and with this file inlined.
 * Strengths α are numbers in [0, Infinity], both ends included (M6). Vectors are arrays or typed arrays.
 *
 * @typedef {ArrayLike<number>} Vector
 * @typedef {[number, number]} Point
 * @typedef {[Point, Point]} Matrix  two rows
 *
 * @typedef {Object} Signal  what the criteria of one target read of a squared-loss path (M20)
 * @property {Vector} eigenvalues  λ, (k,), positive
 * @property {Vector} squares  mean square of the target along each left direction, (k,)
 * @property {number} outside  mean square outside their span
 * @property {number} weightSum  S
 * @property {number} observations  ν
 * @property {number} freeRank  m
 */
globalThis.shrink = (() => {
  const HUGE = 1e300; // strengths below it can be added to an eigenvalue
  const LIMIT = 1e-30; // share of the smallest λ that stands for α = 0 in sums
  const FLAT = 1e-9; // relative difference of exponents below which evidence is flat as α → 0

  // --- the closed form (M5-M9) --------------------------------------------------------------------

  /** Share λ/(λ+α) of one direction: 1 at α = 0, 0 at α = ∞ and where it is flat, NaN for λ < 0 (M7). */
  function share(eigenvalue, alpha) {
    if (eigenvalue > 0) return 1 / (1 + alpha / eigenvalue);
    return eigenvalue === 0 ? 0 : NaN;
  }

  /** Shares λ/(λ+α) of all directions, (k,) (M7). */
  function factors(eigenvalues, alpha) {
    return Float64Array.from(eigenvalues, (value) => share(value, alpha));
  }

  /** γ(α) = m + Σ λ/(λ+α) (M9). */
  function effectiveParameters(eigenvalues, alpha, freeRank = 0) {
    return freeRank + sum(factors(eigenvalues, alpha));
  }

  /** Coordinates of w̃(α) along the directions, numerators/(λ+α), for one target, (k,) (M5). */
  function coordinates(eigenvalues, numerators, alpha) {
    return Float64Array.from(eigenvalues, (value, i) => {
      const total = value + alpha;
      return total === 0 && numerators[i] === 0 ? 0 : numerators[i] / total;
    });
  }

  /** Rotate back, Q c: `basis` has one row of k numbers per weight (M7). */
  function back(basis, coords) {
    return Float64Array.from(basis, (row) => dot(row, coords));
  }

  /** Free weights follow the penalised ones: offset − onto · w_P, (f,) (M12). */
  function freeWeights(offset, onto, penalised) {
    return Float64Array.from(offset, (value, i) => value - dot(onto[i], penalised));
  }

  /** Intercept: mean of the target − column means · w. */
  function intercept(targetMean, columnMean, weights) {
    return targetMean - dot(columnMean, weights);
  }

  /** ‖v‖, without overflow; of the coordinates of w̃ it is ‖w̃‖_D. */
  function norm(vector) {
    let largest = 0;
    for (let i = 0; i < vector.length; i++) largest = Math.max(largest, Math.abs(vector[i]));
    if (largest === 0 || !Number.isFinite(largest)) return largest;
    return largest * Math.sqrt(total(vector.length, (i) => (vector[i] / largest) ** 2));
  }

  // --- criteria of squared loss (M14) ---------------------------------------------------------------

  /** Share α/(λ+α) that is lost, with all its digits. */
  function lost(eigenvalue, alpha) {
    return alpha < HUGE ? alpha / (alpha + eigenvalue) : 1 / (1 + eigenvalue / alpha);
  }

  /** α = 0 as the limit from above: far below every λ. */
  function aboveZero(signal, alpha) {
    const values = signal.eigenvalues;
    return values.length ? Math.max(alpha, values[values.length - 1] * LIMIT) : alpha;
  }

  /** Σ lost(λ)^power · squares + outside. */
  function remaining(signal, alpha, power) {
    const above = aboveZero(signal, alpha);
    const { eigenvalues, squares, outside } = signal;
    return outside + total(eigenvalues.length, (i) => lost(eigenvalues[i], above) ** power * squares[i]);
  }

  /** L(w̃(α)) = RSS_s/2S (M1). */
  function trainLoss(signal, alpha) {
    return 0.5 * remaining(signal, alpha, 2);
  }

  /** ν − γ(α): observations that no parameter uses up. */
  function spare(signal, alpha) {
    const above = aboveZero(signal, alpha);
    const { eigenvalues, observations, freeRank } = signal;
    const fixed = observations - freeRank - eigenvalues.length;
    return fixed + total(eigenvalues.length, (i) => lost(eigenvalues[i], above));
  }

  /** Generalised cross-validation, (RSS_s/2S)/(1 − γ/ν)² (M14). */
  function gcv(signal, alpha) {
    return trainLoss(signal, alpha) / (spare(signal, alpha) / signal.observations) ** 2;
  }

  /** Training loss + φγ/S, φ from the unpenalised fit; NaN where nothing is left over for it (M14). */
  function cp(signal, alpha) {
    const { eigenvalues, outside, observations, freeRank } = signal;
    const left = observations - freeRank - eigenvalues.length;
    if (!(left > 0)) return NaN;
    return trainLoss(signal, alpha) + (outside / left) * effectiveParameters(eigenvalues, alpha, freeRank);
  }

  /**
   * Negative log marginal likelihood up to a constant, the mean moving with α (M14).
   *
   * Without `dispersion` it is profiled out: ½[(ν−m) log PRSS + Σ log(1+λ/α)], PRSS = RSS_s + Sα‖w̃‖²_D.
   * With it: ½[PRSS/φ + Σ log(1+λ/α)].
   */
  function evidence(signal, alpha, dispersion = null) {
    const above = aboveZero(signal, alpha);
    const values = signal.eigenvalues;
    const penalised = signal.weightSum * remaining(signal, alpha, 1);
    const determinant = total(values.length, (i) => Math.log1p(values[i] / above));
    if (dispersion !== null) {
      return alpha === 0 && values.length ? Infinity : 0.5 * (penalised / dispersion + determinant);
    }
    const freedom = signal.observations - signal.freeRank;
    if (alpha === 0 && values.length) {
      const exponent = (signal.outside === 0 ? freedom : 0) - values.length;
      if (Math.abs(exponent) > FLAT * values.length) return exponent > 0 ? -Infinity : Infinity;
    }
    return 0.5 * (freedom * Math.log(penalised) + determinant);
  }

  // --- two dimensions (M7, M10) -----------------------------------------------------------------------

  /** Q that turns by `angle` radians; its columns are the axes of the ellipses. */
  function rotation(angle) {
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return [[c, -s], [s, c]];
  }

  function times(matrix, [x, y]) {
    return [matrix[0][0] * x + matrix[0][1] * y, matrix[1][0] * x + matrix[1][1] * y];
  }

  function transpose([[a, b], [c, d]]) {
    return [[a, c], [b, d]];
  }

  /** w̃(α) = Q Λ(Λ+αI)⁻¹ Qᵀ w*, in the plane (M7). */
  function solution(eigenvalues, Q, minimiser, alpha) {
    const keep = factors(eigenvalues, alpha);
    const along = times(transpose(Q), minimiser);
    return times(Q, [keep[0] * along[0], keep[1] * along[1]]);
  }

  /** Size of the ellipse through a point, √(2(L − L*)). */
  function rise(eigenvalues, Q, minimiser, point) {
    const [x, y] = times(transpose(Q), [point[0] - minimiser[0], point[1] - minimiser[1]]);
    return Math.sqrt(eigenvalues[0] * x * x + eigenvalues[1] * y * y);
  }

  /** The ellipse and the circle that touch in w̃(α): the point and both sizes (M10). */
  function touching(eigenvalues, Q, minimiser, alpha) {
    const point = solution(eigenvalues, Q, minimiser, alpha);
    return { point, ellipse: rise(eigenvalues, Q, minimiser, point), circle: Math.hypot(...point) };
  }

  /** Level line L = L* + size²/2 as n + 1 points, closed; a flat axis is cut at `far`. */
  function ellipse(centre, eigenvalues, Q, size, n = 180, far = 1e6) {
    const half = Array.from(eigenvalues, (value) => Math.min(size / Math.sqrt(value) || 0, far));
    return ring(n, (cosine, sine) => {
      const [x, y] = times(Q, [half[0] * cosine, half[1] * sine]);
      return [centre[0] + x, centre[1] + y];
    });
  }

  /** Level line Ω = α radius²/2 as n + 1 points, closed. */
  function circle(radius, n = 180) {
    return ring(n, (cosine, sine) => [radius * cosine, radius * sine]);
  }

  /**
   * The three steps of M7 at time t in [0, 3]: 0-1 turn by Qᵀ, 1-2 scale, 2-3 turn back by Q.
   *
   * Between whole t the angle and the factors move evenly; play it with `ease(t)`. Returned: the moving
   * `point`, the `centre` that is turned but never scaled (Qᵀw* in the middle), `axes` of the ellipses
   * there, the `angle` turned so far in radians, the `factors` reached, and which `step` (1, 2, 3) it is.
   */
  function threeSteps(eigenvalues, Q, minimiser, alpha, t) {
    const time = Math.min(3, Math.max(0, t));
    const whole = Math.atan2(Q[1][0], Q[0][0]);
    const turned = time <= 1 ? -time : Math.min(0, time - 3);
    const angle = time > 1 && time <= 2 ? -whole : whole * turned;
    const done = Math.min(1, Math.max(0, time - 1));
    const reached = factors(eigenvalues, alpha).map((value) => 1 + done * (value - 1));
    const along = times(transpose(Q), minimiser);
    const axes = rotation(whole + angle);
    const point = times(axes, [reached[0] * along[0], reached[1] * along[1]]);
    const step = time <= 1 ? 1 : time <= 2 ? 2 : 3;
    return { point, centre: times(axes, along), axes, angle, factors: reached, step };
  }

  /** The same time with a gentle start and end in each step. */
  function ease(t) {
    const whole = Math.floor(t);
    const part = t - whole;
    return whole + part * part * (3 - 2 * part);
  }

  // --- training (M2-M4) -------------------------------------------------------------------------------

  /** ∇L(w) = H(w − w*) of the quadratic in the plane (M4). */
  function gradient(eigenvalues, Q, minimiser, point) {
    const [x, y] = times(transpose(Q), [point[0] - minimiser[0], point[1] - minimiser[1]]);
    return times(Q, [eigenvalues[0] * x, eigenvalues[1] * y]);
  }

  /** One step w − η(∇L + αDw) of gradient descent (M2, M3); D is 1 unless `penaltyFactor` is given. */
  function updateStep(weights, slope, alpha, learningRate, penaltyFactor = null) {
    return Array.from(weights, (w, i) => {
      const d = penaltyFactor === null ? 1 : penaltyFactor[i];
      const price = w === 0 || d === 0 ? 0 : alpha * d * w;
      return w - learningRate * (slope[i] + price);
    });
  }

  // --- tables -----------------------------------------------------------------------------------------

  /**
   * Value between tabulated ones; `logGrid` ascends, and null or NaN among the values is a gap.
   *
   * With `slopes` (of the values, along the grid) cubic Hermite, as exact as h⁴; without, the cubic of
   * Fritsch & Butland (1984), SIAM J. Sci. Stat. Comput. 5(2), which never overshoots. NaN in a gap and
   * beyond the grid.
   */
  function interpolate(logGrid, values, logAlpha, slopes = null) {
    const last = logGrid.length - 1;
    const reach = 1e-9 * (logGrid[last] - logGrid[0]); // rounding of the ends
    if (!(logAlpha >= logGrid[0] - reach && logAlpha <= logGrid[last] + reach)) return NaN;
    const at = Math.min(logGrid[last], Math.max(logGrid[0], logAlpha));
    const i = Math.min(below(logGrid, at), Math.max(0, last - 1));
    if (at === logGrid[i]) return known(values, i) ? values[i] : NaN;
    if (at === logGrid[i + 1]) return known(values, i + 1) ? values[i + 1] : NaN;
    if (!known(values, i) || !known(values, i + 1)) return NaN;
    const h = logGrid[i + 1] - logGrid[i];
    const u = (at - logGrid[i]) / h;
    const slope = (j) => (slopes !== null && known(slopes, j) ? slopes[j] : gentle(logGrid, values, j));
    const rest = (values[i + 1] - values[i]) * u * u * (3 - 2 * u);
    return values[i] + rest + h * u * (1 - u) * ((1 - u) * slope(i) - u * slope(i + 1));
  }

  /** Slope at a node that keeps the cubic monotone between nodes. */
  function gentle(grid, values, j) {
    const secant = (i) => (values[i + 1] - values[i]) / (grid[i + 1] - grid[i]);
    const width = (i) => grid[i + 1] - grid[i];
    const left = j > 0 && known(values, j - 1);
    const right = j + 1 < grid.length && known(values, j + 1);
    if (left && right) {
      const [before, after] = [secant(j - 1), secant(j)];
      if (Math.sign(before) * Math.sign(after) <= 0) return 0;
      const [a, b] = [2 * width(j) + width(j - 1), width(j) + 2 * width(j - 1)];
      return (a + b) / (a / before + b / after);
    }
    const [near, next] = right ? [j, j + 1] : [j - 1, j - 2];
    const beyond = right ? j + 2 : j - 2;
    if (beyond < 0 || beyond >= grid.length || !known(values, beyond)) return secant(near);
    const [d0, d1, h0, h1] = [secant(near), secant(next), width(near), width(next)];
    const end = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1);
    if (Math.sign(end) !== Math.sign(d0)) return 0;
    return Math.sign(d0) !== Math.sign(d1) && Math.abs(end) > 3 * Math.abs(d0) ? 3 * d0 : end;
  }

  // --- small sums -------------------------------------------------------------------------------------

  /** Place of the last node ≤ at. */
  function below(grid, at) {
    let [low, high] = [0, grid.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (grid[middle] <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  function known(values, i) {
    return typeof values[i] === "number" && Number.isFinite(values[i]);
  }

  function total(count, term) {
    let value = 0;
    for (let i = 0; i < count; i++) value += term(i);
    return value;
  }

  function sum(vector) {
    return total(vector.length, (i) => vector[i]);
  }

  function dot(row, column) {
    return total(column.length, (i) => row[i] * column[i]);
  }

  function ring(n, point) {
    return Array.from({ length: n + 1 }, (_, i) => {
      const turn = (2 * Math.PI * (i % n)) / n;
      return point(Math.cos(turn), Math.sin(turn));
    });
  }

  return Object.freeze({
    factors, effectiveParameters, coordinates, back, freeWeights, intercept, norm,
    trainLoss, gcv, cp, evidence,
    rotation, times, transpose, solution, rise, touching, ellipse, circle, threeSteps, ease,
    gradient, updateStep, interpolate,
  });
})();
