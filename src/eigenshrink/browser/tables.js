"use strict";
/**
 * Tables of a report: rows that sort, are filtered, and are highlighted in the charts; plain tables.
 *
 * One global, `tables`. However many rows there are, only some are in the page at a time, and a change of
 * the strength writes only into those. Everything is put in as text.
 */
globalThis.tables = (() => {
  const { number, set } = frame;
  const SHOWN = 100; // rows in the page before more are asked for
  const SETTLED = 250; // milliseconds without a change after which rows take their new places

  /**
   * @typedef {Object} Column  of a sorted table
   * @property {string} head
   * @property {boolean} [text]  words and no numbers
   * @property {boolean} [live]  changes with the strength
   * @property {function(number): string} [now]  data-now of the cell of a row
   * @property {function(number): string} [said]  a number as people read it
   * @property {boolean} [share]  a number from 0 to 1, drawn as a bar too
   * @property {ArrayLike<number|string>} values  one per row
   */

  // --- order and filter: pure functions ---------------------------------------------------------------

  /** Places of the rows in ascending or descending order; what is no number stays last, ties keep theirs. */
  function ordered(values, descending) {
    const sign = descending ? -1 : 1;
    const places = Array.from({ length: values.length }, (_, i) => i);
    return places.sort((a, b) => compare(values[a], values[b], sign) || a - b);
  }

  function compare(x, y, sign) {
    if (typeof x === "string") return sign * x.localeCompare(y, "en", { numeric: true });
    const [known, other] = [!Number.isNaN(x), !Number.isNaN(y)];
    if (!known || !other) return Number(other) - Number(known);
    return x === y ? 0 : sign * (x < y ? -1 : 1);
  }

  /** Whether a name holds every word that is searched for, in any case. */
  function matches(name, search) {
    const plain = name.toLowerCase();
    return search.toLowerCase().split(/\s+/).every((word) => plain.includes(word));
  }

  /** Places of the names that match. */
  function found(names, search) {
    return names.map((_, i) => i).filter((i) => matches(names[i], search));
  }

  // --- plain tables -----------------------------------------------------------------------------------

  function make(parent, name, text = "", attributes = {}) {
    const made = document.createElement(name);
    if (text !== "") made.textContent = text;
    set(made, attributes);
    parent.append(made);
    return made;
  }

  /** Fill a place with a table of a caption, heads and rows of words and numbers. */
  function fill(place, { caption, heads, rows }) {
    place.replaceChildren();
    const table = make(place, "table");
    make(table, "caption", caption);
    const head = make(make(table, "thead"), "tr");
    for (const each of heads) make(head, "th", each, { scope: "col" });
    const body = make(table, "tbody");
    for (const row of rows) fillRow(make(body, "tr"), row);
  }

  function fillRow(line, row) {
    row.forEach((cell, place) => {
      const isNumber = typeof cell === "number";
      const made = make(line, place ? "td" : "th", isNumber ? number(cell, 5) : String(cell));
      if (!place) set(made, { scope: "row" });
      if (isNumber) set(made, { class: "number", "data-value": String(cell) });
    });
  }

  // --- tables that sort -------------------------------------------------------------------------------

  /**
   * A table in `place`, under a caption, of rows named by the first column.
   *
   * @param {HTMLElement} place
   * @param {Object} wishes
   * @param {string} wishes.caption
   * @param {function(Object, Object): Column[]} wishes.columns  of study and state
   * @param {function(Object, Object): number[]} [wishes.keep]  places of the rows that are not filtered out
   * @param {function(?number)} wishes.point  called with the place of the row that is looked at
   * @param {function(Object): number[]} wishes.pointed  places of the rows that are highlighted, of a state
   */
  function sortable(place, wishes) {
    const table = make(place, "table", "", { "aria-label": wishes.caption });
    const head = make(make(table, "thead"), "tr");
    const body = make(table, "tbody");
    const more = make(place, "button", "", { type: "button", class: "more", hidden: "" });
    const now = { order: [], columns: [], pointed: [] };
    Object.assign(now, { sorted: -1, descending: false, most: SHOWN, focus: 0, timer: 0 });
    const redraw = () => {
      const looked = body.contains(document.activeElement) ? now.order[now.focus] : -1;
      arrange(now);
      if (looked >= 0) now.focus = now.order.indexOf(looked);
      draw(now, body, head, more);
      if (looked >= 0 && body.children[now.focus]) body.children[now.focus].focus({ preventScroll: true });
      mark(body, now.pointed);
    };

    more.addEventListener("click", () => { now.most += SHOWN; redraw(); });
    watch(body, now, wishes);

    /** Show the rows at a strength; the order is taken up again when the strength has come to rest. */
    function show(study, state) {
      const again = changed(now, wishes, study, state);
      now.columns = wishes.columns(study, state);
      if (!head.children.length) heads(head, now, redraw);
      if (again) {
        for (const row of body.children) delete row.dataset.place; // every cell is written
        arrange(now);
      }
      draw(now, body, head, more);
      now.pointed = wishes.pointed(state);
      mark(body, now.pointed);
      clearTimeout(now.timer);
      if (now.sorted >= 0 && now.columns[now.sorted].live) now.timer = setTimeout(redraw, SETTLED);
    }
    return { show };
  }

  /** Whether rows have to be ordered at once: the first time, for another target, another search. */
  function changed(now, wishes, study, state) {
    now.keep = wishes.keep ? wishes.keep(study, state) : null;
    const key = JSON.stringify([state.target, wishes.keep ? state.search : ""]);
    const again = key !== now.key;
    now.key = key;
    return again;
  }

  function arrange(now) {
    const count = now.columns[0].values.length;
    const column = now.columns[now.sorted];
    const every = column ? ordered(column.values, now.descending) : Array.from({ length: count }, (_, i) => i);
    const kept = now.keep && new Set(now.keep);
    now.order = kept ? every.filter((i) => kept.has(i)) : every;
  }

  function heads(row, now, redraw) {
    now.columns.forEach((column, place) => {
      const cell = make(row, "th", "", { scope: "col", class: column.text ? "" : "number" });
      const button = make(cell, "button", column.head, { type: "button" });
      button.addEventListener("click", () => {
        turn(now, place, !column.text);
        now.most = SHOWN;
        redraw();
      });
    });
  }

  /** The first click on a head sorts, the second one turns it round, the third one gives it up. */
  function turn(now, place, first) {
    const same = now.sorted === place;
    const over = same && now.descending !== first;
    now.descending = same ? !now.descending : first;
    now.sorted = over ? -1 : place;
  }

  /** Write what has changed into the rows that are in the page. */
  function draw(now, body, head, more) {
    const count = Math.min(now.order.length, now.most);
    while (body.children.length > count) body.lastChild.remove();
    while (body.children.length < count) newRow(body, now.columns);
    for (let k = 0; k < count; k++) write(body.children[k], now.order[k], now.columns);
    Array.from(head.children).forEach((cell, place) => {
      set(cell, { "aria-sort": place !== now.sorted ? "none" : now.descending ? "descending" : "ascending" });
    });
    more.hidden = now.order.length <= now.most;
    more.textContent = `Show ${Math.min(SHOWN, now.order.length - now.most)} more of ${now.order.length} rows`;
    tabbable(body, Math.min(now.focus, count - 1));
    now.focus = Math.max(0, Math.min(now.focus, count - 1));
  }

  function newRow(body, columns) {
    const row = make(body, "tr", "", { tabindex: "-1" });
    columns.forEach((column, place) => {
      const cell = make(row, place ? "td" : "th", "", { class: column.text ? "" : "number" });
      if (!place) set(cell, { scope: "row" });
      if (column.share) set(cell, { "data-share": "" });
    });
  }

  function write(row, place, columns) {
    const moved = row.dataset.place !== String(place);
    row.dataset.place = place;
    columns.forEach((column, i) => {
      if (moved && column.now) row.children[i].dataset.now = column.now(place);
      if (moved || column.live) writeCell(row.children[i], column, place);
    });
  }

  function writeCell(cell, column, place) {
    const value = column.values[place];
    if (column.text) {
      if (cell.textContent !== value) cell.textContent = value;
      return;
    }
    const exact = String(value);
    if (cell.dataset.value === exact) return;
    cell.dataset.value = exact;
    cell.title = exact;
    cell.textContent = column.said ? column.said(value) : number(value, 4);
    if (column.share) cell.style.setProperty("--share", Math.min(1, Math.max(0, value)).toFixed(4));
  }

  // --- rows that are looked at ------------------------------------------------------------------------

  function watch(body, now, wishes) {
    const place = (event) => {
      const row = event.target.closest("tr");
      return row ? Number(row.dataset.place) : null;
    };
    body.addEventListener("pointerover", (event) => wishes.point(place(event)));
    body.addEventListener("pointerleave", () => wishes.point(null));
    body.addEventListener("focusin", (event) => {
      now.focus = Array.from(body.children).indexOf(event.target.closest("tr"));
      tabbable(body, now.focus);
      wishes.point(place(event));
    });
    body.addEventListener("focusout", () => wishes.point(null));
    body.addEventListener("keydown", (event) => {
      const last = body.children.length - 1;
      const ways = { ArrowDown: now.focus + 1, ArrowUp: now.focus - 1, Home: 0, End: last };
      const to = ways[event.key];
      if (to === undefined || to < 0 || to > last) return;
      event.preventDefault();
      body.children[to].focus();
    });
  }

  /** One row of a table is reached with Tab, the others with the arrow keys. */
  function tabbable(body, place) {
    for (const row of body.querySelectorAll('tr[tabindex="0"]')) row.tabIndex = -1;
    if (body.children[place]) body.children[place].tabIndex = 0;
  }

  function mark(body, places) {
    const marked = new Set(places);
    for (const row of body.children) row.classList.toggle("marked", marked.has(Number(row.dataset.place)));
  }

  // --- as files ---------------------------------------------------------------------------------------

  /** Rows as CSV (RFC 4180); a text that a spreadsheet would take for a formula is given a quote before it. */
  function csv(rows) {
    return rows.map((row) => `${row.map(csvCell).join(",")}\r\n`).join("");
  }

  function csvCell(value) {
    if (typeof value === "number") return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "" : "inf";
    const safe = /^[\s\0]*[=+\-@]|^[\t\r\n]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  return Object.freeze({ ordered, matches, found, fill, sortable, make, csv });
})();
