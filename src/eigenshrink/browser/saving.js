"use strict";
/** A picture of the page as a file of its own: colours and sizes stand in it, nothing else is needed. */
globalThis.saving = (() => {
  const { draw, set } = frame;
  const INHERITED = [
    "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap",
    "stroke-linejoin", "visibility", "font-family", "font-size", "font-weight", "text-anchor",
    "dominant-baseline", "paint-order",
  ];
  const PAGE_ONLY = ["class", "style", "tabindex", "aria-labelledby", "role"];
  const LINE = 17; // units from one line of text to the next
  const LETTERS = 66; // in a line under the picture
  const TIMES = 2; // pixels of a bitmap for one unit

  /** A copy of an SVG with the colours it has now, the text under it on lines of their own. */
  function alone(root, said = "") {
    const copy = root.cloneNode(true);
    const pairs = [root, ...root.querySelectorAll("*")].map((one) => [one, null]);
    [copy, ...copy.querySelectorAll("*")].forEach((one, i) => { pairs[i][1] = one; });
    for (const [shown, made] of pairs) dress(shown, made, shown === root);
    for (const [shown, made] of pairs) {
      if (shown.classList.contains("reach") || getComputedStyle(shown).display === "none") made.remove();
    }
    const lines = wrapped(said);
    const [x, y, wide, high] = root.getAttribute("viewBox").split(/[\s,]+/).map(Number);
    const tall = high + lines.length * LINE + (lines.length ? 8 : 0);
    set(copy, { viewBox: `${x} ${y} ${wide} ${tall}`, width: wide, height: tall });
    const paper = draw(copy, "rect", { x, y, width: wide, height: tall, stroke: "none", fill: color(root, "--paper") });
    copy.prepend(paper);
    lines.forEach((line, i) => {
      const text = draw(copy, "text", { x: x + 10, y: y + high + LINE * i + 10, "font-size": "12.5px" });
      set(text, { fill: color(root, "--ink"), stroke: "none", "text-anchor": "start" }).textContent = line;
    });
    return copy;
  }

  /** Write what the style sheet says into the element itself. */
  function dress(shown, made, first) {
    const own = getComputedStyle(shown);
    const above = first ? null : getComputedStyle(shown.parentElement);
    for (const name of INHERITED) {
      const value = own.getPropertyValue(name);
      if (value && (!above || value !== above.getPropertyValue(name))) made.setAttribute(name, value);
    }
    for (const name of PAGE_ONLY) made.removeAttribute(name);
  }

  function color(root, name) {
    return getComputedStyle(root).getPropertyValue(name).trim() || "none";
  }

  function wrapped(said) {
    const lines = [""];
    for (const word of said.split(/\s+/).filter(Boolean)) {
      const last = lines[lines.length - 1];
      if (last && last.length + word.length >= LETTERS) lines.push(word);
      else lines[lines.length - 1] = last ? `${last} ${word}` : word;
    }
    return lines.filter(Boolean);
  }

  /**
   * The picture as a file.
   *
   * @param {SVGSVGElement} root
   * @param {"svg"|"png"} kind
   * @param {string} said  plain text that is written under it
   * @returns {Promise<Blob>}
   */
  async function picture(root, kind, said = "") {
    const copy = alone(root, said);
    const text = `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(copy)}\n`;
    const drawn = new Blob([text], { type: "image/svg+xml" });
    return kind === "svg" ? drawn : bitmap(drawn, Number(copy.getAttribute("width")), Number(copy.getAttribute("height")));
  }

  async function bitmap(drawn, wide, high) {
    const address = URL.createObjectURL(drawn);
    try {
      const image = new Image(wide, high);
      image.src = address;
      await image.decode();
      const canvas = set(document.createElement("canvas"), { width: TIMES * wide, height: TIMES * high });
      canvas.getContext("2d").drawImage(image, 0, 0, TIMES * wide, TIMES * high);
      return await new Promise((done) => { canvas.toBlob(done, "image/png"); });
    } finally {
      URL.revokeObjectURL(address);
    }
  }

  return Object.freeze({ alone, picture });
})();
