"use strict";
/**
 * What pages share beside the mathematics: numbers as people read them, sliders, drawing in a plane.
 *
 * One global, `frame`. Whatever comes from data is put in as text, never as markup.
 */
globalThis.frame = (() => {
  const SPACE = "http://www.w3.org/2000/svg";
  const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

  // --- numbers ----------------------------------------------------------------------------------------

  /** `value` in `digits` significant digits, as in the library: 0.02345, 1.2×10⁻⁷, ∞, – for none. */
  function number(value, digits = 4) {
    if (value === null || Number.isNaN(value)) return "–";
    const sign = value < 0 ? "−" : "";
    const size = Math.abs(value);
    if (size === 0 || size === Infinity) return sign + (size ? "∞" : "0");
    if (size >= 1e-4 && size < 1e9) return sign + fixed(size, digits);
    const [mantissa, power] = size.toExponential(digits - 1).split("e");
    const times = trim(mantissa) === "1" ? "" : `${trim(mantissa)}×`;
    return `${sign}${times}10${raised(Number(power))}`;
  }

  function fixed(size, digits) {
    const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
    const [whole, part] = size.toFixed(decimals).split(".");
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u00a0");
    return part === undefined ? grouped : trim(`${grouped}.${part}`);
  }

  function trim(text) {
    return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
  }

  function raised(power) {
    return Array.from(String(power), (letter) => RAISED[letter]).join("");
  }

  /** What somebody typed as a number; NaN where it is none. ∞, inf, 1e-3, 0,5 and − are understood. */
  function parse(text) {
    const plain = text.trim().toLowerCase().replace("−", "-").replace(/^([^.,]*),([^.,]*)$/, "$1.$2");
    if (/^\+?(∞|inf|infinity)$/.test(plain)) return Infinity;
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(plain) ? Number(plain) : NaN;
  }

  /** A number as it is typed, with all its digits: 0.5, 1e-7, ∞. */
  function typed(value) {
    return value === Infinity ? "∞" : String(Number(value.toPrecision(12)));
  }

  // --- sliders ----------------------------------------------------------------------------------------

  /**
   * A logarithmic slider of whole positions, with a stop for 0 below `low` and one for ∞ above `high`.
   *
   * @returns {{last: number, value: function(number): number, position: function(number): number}}
   */
  function logarithmic(low, high, perDecade, { zero = false, infinity = false } = {}) {
    const first = zero ? 1 : 0;
    const steps = Math.round(Math.log10(high / low) * perDecade);
    const last = first + steps + (infinity ? 1 : 0);
    function value(position) {
      if (zero && position <= 0) return 0;
      if (infinity && position >= last) return Infinity;
      return Number((low * 10 ** ((position - first) / perDecade)).toPrecision(3));
    }
    function position(wanted) {
      if (zero && wanted === 0) return 0;
      if (infinity && wanted === Infinity) return last;
      const place = first + Math.round(Math.log10(wanted / low) * perDecade);
      return Math.min(first + steps, Math.max(first, place));
    }
    return { last, value, position };
  }

  // --- drawing ----------------------------------------------------------------------------------------

  /** Make an SVG element in `parent`. */
  function draw(parent, name, attributes = {}) {
    const made = document.createElementNS(SPACE, name);
    parent.append(set(made, attributes));
    return made;
  }

  function set(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  /** A square window of the plane from −edge to edge in a drawing of `size` units, w₂ upwards. */
  function square(edge, size) {
    const scale = size / (2 * edge);
    const at = ([x, y]) => [(x + edge) * scale, (edge - y) * scale];
    const place = (point) => at(point).map((value) => value.toFixed(3)).join(" ");
    /** Points as the `d` of a path, cut off far outside of the window. */
    const line = (points) => `M${points.map((point) => place(point.map(near))).join("L")}`;
    const near = (value) => Math.min(20 * edge, Math.max(-20 * edge, value));
    return { edge, size, scale, at, place, line };
  }

  /** An ellipse of the window: half axes along the columns of Q around `centre`. */
  function oval(element, window_, centre, half, Q) {
    const degrees = (-180 / Math.PI) * Math.atan2(Q[1][0], Q[0][0]);
    set(element, {
      rx: half[0] * window_.scale,
      ry: half[1] * window_.scale,
      transform: `translate(${window_.place(centre)}) rotate(${degrees})`,
    });
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

  /**
   * Let a handle be dragged, and moved with the arrow keys (Shift: finely).
   *
   * @param {SVGElement} handle  focusable
   * @param {SVGSVGElement} root
   * @param {Object} window_  of `square`
   * @param {{get: function(): number[], move: function(number[]): void}} point
   */
  function movable(handle, root, window_, point) {
    const limit = 0.96 * window_.edge;
    const inside = (place) => place.map((value) => Math.min(limit, Math.max(-limit, round(value))));
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
      point.move(inside([x / window_.scale - window_.edge, window_.edge - y / window_.scale]));
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

  function round(value) {
    return Math.round(value * 1000) / 1000;
  }

  return Object.freeze({
    number, parse, typed, logarithmic, draw, set, square, oval, arrow, movable,
  });
})();
