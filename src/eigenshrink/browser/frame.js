"use strict";
/**
 * What pages share beside the mathematics: numbers as people read them, sliders, elements of a drawing.
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
    return sign + (size >= 1e-4 && size < 1e9 ? fixed(size, digits) : scientific(size, digits));
  }

  function scientific(size, digits) {
    const [mantissa, power] = size.toExponential(digits - 1).split("e");
    const times = trim(mantissa) === "1" ? "" : `${trim(mantissa)}×`;
    return `${times}10${raised(Number(power))}`;
  }

  /** A number beside an axis, seldom longer than six letters: 0.02, 1 500, 2×10⁵, 5×10⁻⁴. */
  function tick(value) {
    const size = Math.abs(value);
    if (size === 0 || (size >= 1e-3 && size < 1e5)) return number(value, 4);
    return (value < 0 ? "−" : "") + scientific(size, 3);
  }

  /** A pair of numbers, such as a point: (1.2, −3). */
  function pair(point, digits = 3) {
    return `(${number(point[0], digits)},\u00a0${number(point[1], digits)})`;
  }

  function percent(value) {
    return `${number(100 * value, 3)} %`;
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

  /** Text of data on one line of at most `width` letters, cut in the middle, as in the library. */
  function short(name, width = 18) {
    const letters = Array.from(String(name).replace(/\s/gu, " "));
    if (letters.length <= width) return letters.join("");
    const tail = Math.floor((width - 1) / 2) - 1;
    return `${letters.slice(0, width - 1 - tail).join("")}…${letters.slice(-tail).join("")}`;
  }

  /** Write text of data into an element; what had to be cut stands in full in its title. */
  function write(element, name, width = 18) {
    const cut = short(name, width);
    element.textContent = cut;
    if (cut !== String(name)) draw(element, "title").textContent = name;
    return element;
  }

  return Object.freeze({
    number, tick, pair, percent, parse, typed, logarithmic, draw, set, short, write,
  });
})();
