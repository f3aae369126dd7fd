"use strict";
/** What charts over the strength show: criteria, training and true error, effective parameters. */
(() => {
  const { number } = frame;
  const { log10, finite, ends, some, ofPower, ofGamma } = figures;
  const WIDTH = 1.96; // standard errors of a 95 % interval
  const VALLEY = 3; // a curve may rise this many times as high above its minimum as at its flatter end
  const LEAST = 4; // height of a score that is shown at least

  // --- the criteria (M14, M15) ------------------------------------------------------------------------

  const risk = {
    strength: ofPower,

    draw(sheet, study, state) {
      const t = state.target;
      const curves = sheet.once("curves", t, () => sorted(sheet, study, t));
      const place = sheet.alphas(study, state);
      sheet.once("lines", t, () => criteriaLines(sheet, study, curves, t));
      sheet.once("least", `${t} ${place(0)} ${place(Infinity)}`, () => lowest(sheet, curves, place));
      sheet.once("interval", `${t} ${place(0)} ${place(Infinity)}`, () => {
        const found = study.interval(t);
        const sides = found ? { left: place(found[0]), right: place(found[1]) } : {};
        sheet.known("interval").setv({ visible: found !== null, ...sides });
        if (study.trusted) doubt(sheet, study.trusted.map(place), place(0), place(Infinity));
      });
      sheet.strengths(study, state, place);
      for (const side of ["left", "right"]) if (sheet.known(`points-${side}`)) {
        const shown = curves.filter((curve) => curve.side === side);
        const y = shown.map((curve) => study.value(t, curve.name, state.alpha) - curve.lift);
        const x = y.map(() => place(state.alpha));
        sheet.data(`points-${side}`, { x, y, color: shown.map((curve) => sheet.color(curve.color)) });
      }
      sheet.title(riskTitle(study, state));
    },

    table(study, { target, alpha }) {
      const curves = study.criteria(target);
      const at = [...some(study.grid.length).map((i) => study.grid[i]), alpha].sort((a, b) => a - b);
      const rows = at.map((each) => [each, ...curves.map((curve) => study.value(target, curve.name, each))]);
      return { heads: ["α", ...curves.map((curve) => `${curve.label}, ${curve.unit}`)], rows };
    },
  };

  /** Hatch the strengths at which the quadratic of a network is not believed (M18). */
  function doubt(sheet, [low, high], left, right) {
    for (const [name, from, to] of [["below", left, low], ["above", high, right]]) {
      sheet.known(`doubtful-${name}`).setv({ visible: from < to, left: from, right: to });
    }
  }

  function riskTitle(study, { target, alpha }) {
    const { estimate } = study.state(target, alpha);
    const about = study.targets.length > 1 ? `${study.targets[target]}, ` : "";
    const said = estimate ? `${estimate.label}: ${number(estimate.value, 4)}` : "";
    return `${about}α = ${number(alpha, 3)}${said && ", "}${said}`;
  }

  /** The criteria that have a line: where it is drawn, in which colour, and by how much it is lowered. */
  function sorted(sheet, study, t) {
    return study.criteria(t).filter((curve) => sheet.known(`drawn-${curve.name}`)).map((curve) => {
      const { side, color } = sheet.notes(sheet.known(`drawn-${curve.name}`));
      const least = side === "right" && curve.minimum ? curve.minimum.value : 0;
      return { ...curve, side, color: `--${color}`, lift: Number.isFinite(least) ? least : 0 };
    });
  }

  function criteriaLines(sheet, study, curves, t) {
    const x = log10(study.grid);
    const alpha = Array.from(study.grid, (each) => number(each, 3));
    for (const curve of curves) {
      const y = Array.from(curve.values, (value) => (Number.isFinite(value) ? value - curve.lift : NaN));
      const value = Array.from(curve.values, (each) => number(each, 5));
      sheet.data(`line-${curve.name}`, { x, y, what: x.map(() => curve.label), alpha, value });
    }
    const quoted = curves.find((curve) => curve.quoted && curve.band);
    const wide = quoted ? Array.from(quoted.band, (each) => WIDTH * each) : [];
    const inside = wide.map((_, i) => i).filter((i) => Number.isFinite(wide[i] + quoted.values[i]));
    sheet.data("band", {
      x: inside.map((i) => x[i]),
      low: inside.map((i) => quoted.values[i] - wide[i]),
      high: inside.map((i) => quoted.values[i] + wide[i]),
    });
    valley(sheet, curves.filter((curve) => curve.side === "left"), "y");
    valley(sheet, curves.filter((curve) => curve.side === "right"), "rise");
  }

  /** Show the valley: a curve that shoots up at one end may leave the picture there. */
  function valley(sheet, curves, range) {
    const judging = curves.filter((curve) => !curve.describing);
    const drawn = (judging.length ? judging : curves)
      .map((curve) => finite(curve.values).map((value) => value - curve.lift)).filter((each) => each.length);
    if (!drawn.length) return;
    const rise = range === "rise";
    const [low, top] = ends(drawn.flat());
    const flat = Math.max(...drawn.map((each) => Math.min(each[0], each[each.length - 1])));
    const least = rise ? LEAST : 0.05 * Math.abs(low);
    const high = Math.max(Math.min(top, low + VALLEY * Math.max(flat - low, least)), rise ? least : low);
    const room = 0.06 * (high - low) || 0.05 * Math.abs(low) || 1;
    const train = curves.filter((curve) => curve.describing).flatMap((curve) => finite(curve.values));
    const below = train.length ? Math.max(low - (high - low), Math.min(low, ends(train)[0])) : low;
    const bottom = below - room;
    sheet.limit(range, low >= 0 && !rise ? Math.max(0, bottom) : bottom, high + room);
  }

  /** Triangles at the lowest points; where one lies beyond an edge they point outwards there. */
  function lowest(sheet, curves, place) {
    for (const side of ["left", "right"]) {
      if (!sheet.known(`least-${side}`)) continue;
      const shown = curves.filter(
        (curve) => curve.side === side && curve.minimum && curve.minimum.boundary !== "flat" &&
          Number.isFinite(curve.minimum.value),
      );
      const at = shown.map((curve) => curve.minimum.alpha);
      sheet.data(`least-${side}`, {
        x: at.map(place),
        y: shown.map((curve) => curve.minimum.value - curve.lift),
        color: shown.map((curve) => sheet.color(curve.color)),
        angle: at.map((alpha) => 0.5 * Math.PI * Math.sign(Math.log10(alpha) - place(alpha) || 0)),
        size: shown.map((curve) => (curve.chose || curve.quoted ? 13 : 9)),
      });
    }
  }

  // --- training and true error (M1, M14) --------------------------------------------------------------

  const PARTS = { true: "true error", train: "training error", optimism: "optimism" };

  const optimism = {
    strength: (x, sheet, study, state) => ofGamma(x, study, state),

    draw(sheet, study, state) {
      const { target: t, alpha } = state;
      const keys = Object.fromEntries(
        Object.keys(PARTS).map((name) => [name, sheet.notes(sheet.known(`drawn-${name}`)).key]),
      );
      const gammas = sheet.once("gammas", t, () => Array.from(study.gammas(t)));
      const now = Object.entries(keys).map(([name, key]) => [name, study.value(t, key, alpha)]);
      const here = Object.fromEntries(now);
      sheet.once("lines", t, () => errors(sheet, study, t, keys, gammas));
      const x = study.state(t, alpha).gamma;
      sheet.strengths(study, state, (each) => study.state(t, each).gamma);
      const known = now.filter(([, value]) => Number.isFinite(value));
      sheet.data("points", {
        x: known.map(() => x), y: known.map(([, value]) => value), what: known.map(([name]) => PARTS[name]),
        value: known.map(([, value]) => number(value, 5)), alpha: known.map(() => number(alpha, 3)),
      });
      const gap = Number.isFinite(here.true + here.train);
      sheet.data("gap", gap ? { x: [x], low: [here.train], high: [here.true] } : { x: [], low: [], high: [] });
      const [train, more, total] = [here.train, here.optimism, here.true].map((each) => number(each, 4));
      sheet.title(gap ? `training ${train} + optimism ${more} = ${total}` : "no estimate of the true error here");
    },

    table(study, { target, alpha }) {
      const curves = study.criteria(target);
      const found = curves.filter((curve) => curve.quoted || curve.name === "train" || curve.name === "optimism");
      const at = [...some(study.grid.length).map((i) => study.grid[i]), alpha].sort((a, b) => a - b);
      const rows = at.map((each) =>
        [study.state(target, each).gamma, each, ...found.map((curve) => study.value(target, curve.name, each))]);
      return { heads: ["γ", "α", ...found.map((curve) => curve.label)], rows };
    },
  };

  function errors(sheet, study, t, keys, x) {
    const curves = new Map(study.criteria(t).map((curve) => [curve.name, curve]));
    for (const [name, key] of Object.entries(keys)) {
      const y = Array.from(curves.get(key).values, (value) => (Number.isFinite(value) ? value : NaN));
      sheet.data(name, { x, y });
    }
    const { values, band } = curves.get(keys.true);
    const inside = band ? x.map((_, i) => i).filter((i) => Number.isFinite(band[i] + values[i])) : [];
    sheet.data("band", {
      x: inside.map((i) => x[i]),
      low: inside.map((i) => values[i] - WIDTH * band[i]),
      high: inside.map((i) => values[i] + WIDTH * band[i]),
    });
    const [low, high] = ends(x);
    sheet.limit("x", low - 0.02 * (high - low || 1), high + 0.02 * (high - low || 1));
    const drawn = finite(values);
    const [least, top] = ends(drawn);
    const flat = drawn.length ? Math.min(drawn[0], drawn[drawn.length - 1]) : 1;
    sheet.limit("y", 0, 1.06 * Math.min(top, least + VALLEY * Math.max(flat - least, 0.05 * Math.abs(least))) || 1);
  }

  // --- effective parameters (M9) ----------------------------------------------------------------------

  const parameters = {
    strength: ofPower,

    draw(sheet, study, state) {
      const { target: t, alpha } = state;
      const place = sheet.alphas(study, state);
      sheet.once("curve", t, () => {
        const [x, y] = [log10(study.grid), Array.from(study.gammas(t))];
        const gamma = y.map((each) => number(each, 4));
        sheet.data("curve", { x, y, alpha: Array.from(study.grid, (each) => number(each, 3)), gamma });
        sheet.data("area", { x, y, low: y.map(() => 0) });
        const [low, high] = ends([...y, study.state(t, Infinity).gamma]);
        sheet.limit("y", Math.max(0, low - 0.08 * (high - low)), high + 0.08 * (high - low || 1));
      });
      const { gamma, of } = study.state(t, alpha);
      sheet.data("points", { x: [place(alpha)], y: [gamma] });
      sheet.strengths(study, state, place);
      sheet.title(`${number(gamma, 3)} of ${number(of)} in use at α = ${number(alpha, 3)}`);
    },

    table(study, { target, alpha }) {
      const at = [...some(study.grid.length).map((i) => study.grid[i]), alpha].sort((a, b) => a - b);
      return { heads: ["α", "γ"], rows: at.map((each) => [each, study.state(target, each).gamma]) };
    },
  };

  for (const [name, drawing] of Object.entries({ risk, optimism, effective_parameters: parameters })) {
    charts.add(name, drawing);
  }
})();
