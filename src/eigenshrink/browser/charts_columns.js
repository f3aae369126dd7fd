"use strict";
/** What charts of directions, of coefficients and of rows show. */
(() => {
  const { number } = frame;
  const { log10, finite, ends, some, ofPower, ofGamma } = figures;
  const [LINES, NAMED, DOTS, LISTED] = [60, 8, 500, 20];
  const KEPT = 0.9;
  const GONE = 0.1;
  const SERIES = 8;
  const DASHES = ["solid", [7, 3], [2, 3], [8, 3, 2, 3]];

  // --- directions (M7, M8) ----------------------------------------------------------------------------

  const shrinkage = {
    draw(sheet, study, state) {
      const { target: t, alpha } = state;
      const every = sheet.once("every", t, () => spectrumOf(study, t));
      const at = study.place(alpha);
      spread(sheet, study, state, every);
      const shares = shrink.factors(every.map((each) => each.eigenvalue), at);
      const bands = { kept: [], fading: [], gone: [] };
      every.forEach((each, i) => bands[band(shares[i])].push(i));
      for (const [name, members] of Object.entries(bands)) sheet.data(name, dots(every, shares, members));
      const { start, end } = sheet.figure.x_range;
      const x = Array.from({ length: 121 }, (_, i) => start + (i / 120) * (end - start));
      sheet.data("law", { x, y: Array.from(shrink.factors(x.map((each) => 10 ** each), at)) });
      const pointed = every.findIndex((each) => each.number === state.direction + 1);
      const seen = state.direction === null || state.direction === undefined ? -1 : pointed;
      sheet.data("pointed", seen < 0 ? { x: [], y: [] } : { x: [every[seen].x], y: [shares[seen]] });
      const said = `α = ${number(alpha, 3)}`;
      sheet.mark("now", Math.min(end, Math.max(start, Math.log10(at))), at === alpha ? "λ = α" : said);
      const { kept, fading, gone } = study.survival(t, alpha);
      sheet.title(`${said}: ${number(kept)} kept, ${fading} fading, ${gone} gone`);
    },

    table(study, { target, alpha }) {
      const shares = study.shares(target, alpha);
      const rows = study.directions(target).slice(0, LISTED)
        .map((each, i) => [each.number, each.eigenvalue, shares[i], band(shares[i]), each.made]);
      return { heads: ["direction", "eigenvalue", "share kept", "", "made of"], rows };
    },
  };

  function band(share) {
    if (share >= KEPT) return "kept";
    return share > GONE ? "fading" : "gone";
  }

  /** At most 500 directions with a curvature, evenly picked, those that are listed with what they are made of. */
  function spectrumOf(study, t) {
    const listed = study.directions(t);
    const values = study.spectrum(t);
    const same = listed.length > 0 && listed.every((each, i) => each.eigenvalue === values[i]);
    const all = same
      ? Array.from(values, (eigenvalue, i) => ({ number: i + 1, eigenvalue, made: listed[i]?.made ?? "not listed" }))
      : listed;
    const curved = all.filter((each) => each.eigenvalue > 0);
    return some(curved.length, DOTS).map((i) => ({ ...curved[i], x: Math.log10(curved[i].eigenvalue) }));
  }

  /** From the smallest eigenvalue or chosen strength to the largest, but not down to what is rounding. */
  function spread(sheet, study, state, every) {
    const chosen = finite([Math.log10(study.chosen(state.target))]);
    const [low, high] = ends([...every.map((each) => each.x), ...chosen]);
    const floor = study.kind === "network" ? Math.log10(study.low) - 2 : -Infinity;
    const [left, right] = [Math.max(low, floor), high];
    const room = Math.max(0.05 * (right - left), 0.5 * (2 - (right - left)), 0.1);
    sheet.limit("x", left - room, right + room);
  }

  function dots(every, shares, members) {
    const of = (make) => members.map((i) => make(every[i], i));
    return {
      x: of((each) => each.x), y: of((each, i) => shares[i]),
      number: of((each) => String(each.number)), eigenvalue: of((each) => number(each.eigenvalue, 4)),
      share: of((each, i) => number(shares[i], 4)), made: of((each) => each.made),
    };
  }

  // --- coefficients (M5, M9) --------------------------------------------------------------------------

  const coefficients = {
    strength: (x, sheet, study, state) => (state.axis === "gamma" ? ofGamma(x, study, state) : ofPower(x)),

    draw(sheet, study, state) {
      const { target: t, axis } = state;
      const places = (state.highlight ? Array.from(state.highlight) : []).slice(0, LINES);
      const lines = sheet.once("lines", t, () => scaled(study, t));
      const picked = sheet.once("picked", `${t} ${places}`, () => pick(study, lines, places));
      const gammas = sheet.once("gammas", t, () => study.gammas(t));
      let place = (alpha) => study.state(t, alpha).gamma;
      sheet.axis(...(axis === "gamma" ? ["linear", "effective parameters γ(α)"] : ["log10", "strength α"]));
      if (axis === "gamma") {
        const [low, high] = ends(gammas);
        sheet.limit("x", low - 0.02 * (high - low), high + 0.02 * (high - low));
      } else place = sheet.alphas(study, state);
      sheet.once("drawn", `${t} ${axis} ${places}`, () => {
        drawLines(sheet, study, t, picked, axis === "gamma" ? Array.from(gammas) : log10(study.grid));
      });
      sheet.strengths(study, state, place);
      follow(sheet, study, state, picked, place(state.alpha));
      const more = lines.length < study.columnCount || picked.count < lines.length;
      sheet.title(more ? `${picked.count} of ${number(study.columnCount)} coefficients` : "all coefficients");
    },

    table(study, { target, alpha }) {
      const [now, chosen] = [alpha, study.chosen(target)].map((each) => study.coefficients(target, each));
      const order = Array.from(now.keys()).sort((a, b) => Math.abs(now[b]) - Math.abs(now[a])).slice(0, LISTED);
      const rows = order.map((i) => [study.columns[i].name, now[i], chosen[i]]);
      return { heads: ["column", "now", "at the chosen α"], rows };
    },
  };

  const scaleOf = (study, i) => study.record.columns.scale[i];

  /** Every path on the scale on which the penalty compares them, with its size at the chosen strength. */
  function scaled(study, t) {
    const chosen = study.coefficients(t, study.chosen(t));
    const gone = !chosen.some((each) => each !== 0);
    return study.coefficientPaths(t).values.map((path, i) => {
      const y = Array.from(path, (each) => each * scaleOf(study, i));
      const size = gone ? Math.max(...finite(y).map(Math.abs), 0) : Math.abs(chosen[i] * scaleOf(study, i));
      return { y, size, chosen: chosen[i], i };
    });
  }

  /** Which lines are drawn, and which of them strong: those asked for, else the largest. */
  function pick(study, lines, places) {
    const order = [...lines].sort((a, b) => b.size - a.size);
    const asked = new Set(places);
    const shown = [...order.filter((line) => asked.has(line.i)), ...order.filter((line) => !asked.has(line.i))];
    const strong = asked.size ? shown.slice(0, asked.size) : order.slice(0, NAMED);
    const rest = shown.slice(0, LINES).filter((line) => !strong.includes(line));
    return { strong, pale: rest, count: strong.length + rest.length, asked: asked.size > 0 };
  }

  function drawLines(sheet, study, t, picked, x) {
    const kinds = { pale: picked.pale, strong: picked.strong };
    for (const [name, members] of Object.entries(kinds)) {
      sheet.data(name, {
        xs: members.map(() => x),
        ys: members.map((line) => line.y),
        name: members.map((line) => study.columns[line.i].name),
        chosen: members.map((line) => number(line.chosen, 4)),
        color: members.map((_, rank) => sheet.color(`--series-${rank % SERIES}`)),
        dash: members.map((_, rank) => DASHES[Math.floor((4 * (rank % (2 * SERIES))) / (2 * SERIES))]),
      });
    }
    sheet.known("pale-lines").glyph.line_alpha = picked.asked ? 0.25 : 0.5;
    heights(sheet, study, t, [...picked.strong, ...picked.pale]);
  }

  /** Room for all strengths down to a hundredth of the chosen one; below, lines may leave. */
  function heights(sheet, study, t, members) {
    const chosen = study.chosen(t);
    const weak = chosen > 0 && chosen < Infinity ? chosen / 100 : 0;
    const from = Math.max(0, study.grid.findIndex((alpha) => alpha >= weak));
    const [low, high] = ends([0, ...members.flatMap((line) => finite(line.y.slice(from)))]);
    const room = 0.06 * (high - low) || 1;
    sheet.limit("y", low - room, high + room);
  }

  const WRITTEN = 40; // names, empty ones among them: bokeh trips if fewer come while it still makes the old ones

  /** Dots and names where the strong lines are now. */
  function follow(sheet, study, { target, alpha }, picked, x) {
    const values = study.coefficients(target, alpha);
    const points = picked.strong.map((line, rank) => ({
      y: values[line.i] * scaleOf(study, line.i),
      name: study.columns[line.i].name,
      color: sheet.color(`--series-${rank % SERIES}`),
    }));
    const columns = (list) => {
      const of = (key) => list.map((each) => each[key]);
      return { x: list.map(() => x), y: of("y"), name: of("name"), color: of("color") };
    };
    sheet.data("points", columns(points));
    const { start, end } = sheet.figure.x_range;
    const left = x > 0.62 * end + 0.38 * start;
    const named = apart(points, sheet);
    while (named.length < WRITTEN) named.push({ y: NaN, name: "", color: sheet.color("--ink") });
    sheet.data("names", {
      ...columns(named),
      name: named.map((each) => sheet.plain(each.name, 18)),
      align: named.map(() => (left ? "right" : "left")),
      offset: named.map(() => (left ? -8 : 8)),
    });
  }

  /** Those names that do not lie on top of one that was there first. */
  function apart(points, sheet) {
    const { start, end } = sheet.figure.y_range;
    const least = (15 * (end - start)) / Math.max(1, sheet.height());
    const taken = [];
    return points.filter((point) => {
      const free = Number.isFinite(point.y) && taken.every((y) => Math.abs(y - point.y) >= least);
      if (free) taken.push(point.y);
      return free;
    });
  }

  // --- rows (M14) -------------------------------------------------------------------------------------

  const PULLING = 3; // times the mean leverage

  const residuals = {
    draw(sheet, study, { target: t }) {
      sheet.once("rows", t, () => {
        const found = study.residuals(t);
        if (!found) return;
        const across = found[sheet.notes(sheet.figure).across];
        const limit = (PULLING * study.state(t, found.at).gamma) / found.rows;
        const top = ends(found.leverage)[1] || 1;
        const kinds = { usual: [], pulling: [] };
        for (const i of found.row.keys()) kinds[found.leverage[i] > limit ? "pulling" : "usual"].push(i);
        for (const [name, members] of Object.entries(kinds)) {
          sheet.data(name, rowDots(found, across, members, top));
        }
        const [left, right] = ends(finite(across));
        const [low, high] = ends(finite(found.residual));
        const reach = Math.max(Math.abs(low), Math.abs(high)) || 1;
        const room = 0.04 * (right - left) || 1;
        sheet.limit("x", left - room, right + room);
        sheet.limit("y", low < 0 ? -1.08 * reach : -0.02 * reach, 1.08 * reach);
        const fewer = found.row.length < found.rows ? `${number(found.row.length)} of ` : "";
        sheet.title(`${fewer}${number(found.rows)} rows at the chosen α = ${number(found.at, 3)}`);
      });
    },

    table(study, { target }) {
      const found = study.residuals(target);
      if (!found) return { heads: ["row", "fitted", "residual", "leverage"], rows: [] };
      const order = Array.from(found.row.keys()).sort((a, b) => found.leverage[b] - found.leverage[a]);
      const rows = order.slice(0, LISTED).map((i) => [found.row[i], found.fitted[i], found.residual[i], found.leverage[i]]);
      return { heads: ["row", "fitted", "residual", "leverage"], rows };
    },
  };

  function rowDots(found, across, members, top) {
    const of = (make) => members.map(make);
    return {
      x: of((i) => across[i]), y: of((i) => found.residual[i]),
      size: of((i) => 5 + 13 * Math.sqrt(Math.max(0, found.leverage[i]) / top)),
      row: of((i) => String(found.row[i])), fitted: of((i) => number(found.fitted[i], 4)),
      residual: of((i) => number(found.residual[i], 4)), leverage: of((i) => number(found.leverage[i], 3)),
    };
  }

  for (const [name, drawing] of Object.entries({ shrinkage, coefficients, residuals })) charts.add(name, drawing);
})();
