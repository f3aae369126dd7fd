"use strict";
/** What the charts of a network show besides: how far its quadratic holds, and its layers. */
(() => {
  const { number } = frame;
  const WIDTH = 1.96; // standard errors of a 95 % interval
  const ROOM = 0.3; // of the height of what is believed, above and below it
  const MOST = 24; // layers that get a bar
  const WORDS = { raise: "--chosen", lower: "--series-1" };

  // --- measured and predicted changes of the loss (M4, M18) -------------------------------------------

  const trusted = {
    strength: (x) => 10 ** x,

    draw(sheet, study, state) {
      const place = sheet.alphas(study, state);
      const [low, high] = study.trusted;
      sheet.once("shade", `${place(0)} ${place(Infinity)}`, () => {
        sheet.known("trusted").setv({ visible: high > low, left: place(low), right: place(high) });
      });
      sheet.once("measured", state.target, () => measured(sheet, study, state.target));
      sheet.strengths(study, state, place);
      sheet.title(held(low, high));
    },

    table(study) {
      const { alphas, change, predicted, noise, validation } = study.measured;
      const heads = ["α", "true change", "predicted", "standard error", ...(validation ? ["validation loss"] : [])];
      const rows = Array.from(alphas, (alpha, i) =>
        [alpha, change[i], predicted[i], noise[i], ...(validation ? [validation[i]] : [])]);
      return { heads, rows };
    },
  };

  function held(low, high) {
    if (low === 0 && high === Infinity) return "the quadratic holds at every strength";
    if (low === high) return "the quadratic holds at no strength that was looked at";
    if (low === 0) return `the quadratic holds up to α = ${number(high, 3)}`;
    if (high === Infinity) return `the quadratic holds from α = ${number(low, 3)} on`;
    return `the quadratic holds from α = ${number(low, 3)} to ${number(high, 3)}`;
  }

  function measured(sheet, study, t) {
    const { alphas, change, predicted, noise } = study.measured;
    const x = Array.from(alphas, Math.log10);
    const wide = Array.from(noise, (each) => (Number.isFinite(each) ? WIDTH * each : 0));
    const said = (values) => Array.from(values, (each) => number(each, 4));
    sheet.data("measured", {
      x, y: Array.from(change), alpha: said(alphas), change: said(change), predicted: said(predicted),
    });
    sheet.data("predicted", { x, y: Array.from(predicted) });
    sheet.data("noise", { x, low: x.map((_, i) => change[i] - wide[i]), high: x.map((_, i) => change[i] + wide[i]) });
    const judged = judgedLoss(study, t);
    if (judged && sheet.known("validation")) {
      sheet.data("validation", { x: Array.from(study.grid, Math.log10), y: judged });
    }
    heights(sheet, study, [...x.flatMap((_, i) => [change[i] - wide[i], change[i] + wide[i], predicted[i]])], judged);
  }

  /** The loss of the rows that judge, less that of the weights as they were trained. */
  function judgedLoss(study, t) {
    const curve = study.criteria(t).find((each) => each.name === "validation");
    if (!curve) return null;
    const start = study.trained > 0 ? study.value(t, "validation", study.trained) : NaN;
    const base = Number.isFinite(start) ? start : curve.values.find(Number.isFinite);
    return Array.from(curve.values, (each) => (Number.isFinite(each) ? each - base : NaN));
  }

  /** Show what is believed with some room; curves that shoot up beyond it may leave. */
  function heights(sheet, study, measured_, judged) {
    const { alphas } = study.measured;
    const [low, high] = study.trusted;
    const believed = measured_.filter((_, k) => {
      const alpha = alphas[Math.floor(k / 3)];
      return alpha >= low * (1 - 1e-9) && alpha <= high * (1 + 1e-9);
    });
    const shown = [0, ...(believed.length ? believed : measured_), ...(judged || [])].filter(Number.isFinite);
    const [bottom, top] = [Math.min(...shown), Math.max(...shown)];
    const room = ROOM * (top - bottom) || 1;
    sheet.limit("y", bottom - room, top + room);
  }

  // --- layers (M9, M13) -------------------------------------------------------------------------------

  /** The layers that get a bar, in the order of the model. */
  function shownLayers(sheet, study, state) {
    return sheet.once("shown", state.target, () => {
      const every = study.layers(study.chosen(state.target));
      const order = every.map((_, i) => i).sort((a, b) => every[b].used - every[a].used);
      return order.slice(0, MOST).sort((a, b) => a - b);
    });
  }

  /** Names of the layers at the left, the first one on top. */
  function nameLayers(sheet, names) {
    sheet.limit("y", -names.length + 0.4, 0.6);
    const axis = sheet.figure.left[0];
    const width = sheet.width() < 300 ? 12 : 22;
    axis.major_label_overrides = new Map(names.map((name, i) => [-i, sheet.plain(name, width)]));
    axis.ticker.setv({ ticks: names.map((_, i) => -i) });
  }

  const layers = {
    draw(sheet, study, state) {
      const shown = shownLayers(sheet, study, state);
      const every = study.layers(state.alpha);
      const found = shown.map((i) => every[i]);
      const used = found.map((each) => Math.max(each.used, 0));
      const bottom = sheet.once("bottom", state.target, () => {
        const chosen = study.layers(study.chosen(state.target)).map((each) => each.used).filter((each) => each > 0);
        return Math.floor(Math.log10(Math.max(1e-3, Math.min(1, ...chosen))));
      });
      const place = (value) => Math.max(bottom, Math.log10(Math.max(value, 1e-300)));
      const y = found.map((_, i) => -i);
      const base = {
        y, left: y.map(() => bottom), name: found.map((each) => each.name),
        weights: found.map((each) => number(each.weights)), used: used.map((each) => number(each, 3)),
        norm: found.map((each) => number(each.norm, 3)),
      };
      sheet.data("weights", { ...base, right: found.map((each) => place(each.weights)) });
      sheet.data("used", { ...base, right: used.map(place) });
      sheet.data("words", {
        x: found.map((each) => place(each.weights)), y, align: y.map(() => "left"), offset: y.map(() => 5),
        text: found.map((each, i) => `${number(used[i], 3)} of ${number(each.weights)}`),
      });
      sheet.once("names", state.target, () => nameLayers(sheet, base.name));
      const top = Math.max(...found.map((each) => place(each.weights)));
      sheet.limit("x", bottom, top + Math.max(0.9, (top - bottom) * (sheet.width() < 400 ? 0.6 : 0.3)));
      sheet.title(`parameters in use at α = ${number(state.alpha, 3)}${fewer(found, every)}`);
    },

    table(study, { alpha }) {
      const rows = study.layers(alpha).map((each) => [each.name, each.used, each.weights, each.norm]);
      return { heads: ["layer", "in use", "weights", "norm"], rows };
    },
  };

  const fewer = (found, every) => (found.length < every.length ? `, ${found.length} of ${every.length} layers` : "");

  const slopes = {
    draw(sheet, study, state) {
      const shown = shownLayers(sheet, study, state);
      sheet.once("bars", state.target, () => {
        const every = study.layers(study.chosen(state.target));
        const found = shown.map((i) => every[i]);
        const [y, values] = [found.map((_, i) => -i), found.map((each) => Number(each.slope))];
        const advice = found.map((each) => each.advice || "unclear");
        sheet.data("bars", {
          y, right: values, name: found.map((each) => each.name), slope: values.map((each) => number(each, 3)),
          advice, color: found.map((each) => sheet.color(WORDS[each.advice] || "--muted")),
        });
        sheet.data("words", {
          x: values, y, text: advice, align: values.map((each) => (each < 0 ? "right" : "left")),
          offset: values.map((each) => (each < 0 ? -5 : 5)),
        });
        nameLayers(sheet, found.map((each) => each.name));
        const reach = 1.6 * Math.max(...values.map(Math.abs)) || 1;
        sheet.limit("x", -reach, reach);
        sheet.title(`where the training stopped${fewer(found, every)}`);
      });
    },

    table(study, { alpha }) {
      const rows = study.layers(alpha).map((each) => [each.name, Number(each.slope), each.advice || "unclear"]);
      return { heads: ["layer", "slope of the validation loss in log α", "advice"], rows };
    },
  };

  for (const [name, drawing] of Object.entries({ trusted, layers, slopes })) charts.add(name, drawing);
})();
