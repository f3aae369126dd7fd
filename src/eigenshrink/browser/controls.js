"use strict";
/**
 * The controls of a report: the strength as a slider and as a number, the target, the axis (M6, M9).
 *
 * One global, `controls`. The state holds the strength itself with all its digits; the slider only shows
 * the nearest of its positions, so that a number typed in is never rounded.
 */
globalThis.controls = (() => {
  const { number, parse, typed, logarithmic, set } = frame;
  const PER_DECADE = 100; // positions of the slider
  const STEPS = { // of a key: positions, then finely
    ArrowRight: [1, 0.1], ArrowUp: [1, 0.1], ArrowLeft: [-1, -0.1], ArrowDown: [-1, -0.1],
    PageUp: [PER_DECADE / 2, PER_DECADE / 10], PageDown: [-PER_DECADE / 2, -PER_DECADE / 10],
  };

  /** Whether a strength can be asked for: NaN and what has no solution cannot (M6). */
  function legal(study, alpha) {
    return alpha >= study.weakest;
  }

  /** The slider: whole positions, 0 below the lowest one where that is legal, ∞ above the highest. */
  function scale(study) {
    return logarithmic(study.low, study.high, PER_DECADE, { zero: study.weakest === 0, infinity: true });
  }

  /** The weakest and the strongest strength there is: where Home and End go. */
  function ends(study) {
    return [study.weakest === 0 ? 0 : Math.max(study.weakest, study.low), Infinity];
  }

  /** `alpha` moved by so many positions; beyond the ends of the slider are 0 and ∞, before them the ends. */
  function moved(study, alpha, positions) {
    const { low, high } = study;
    if (alpha === 0) return positions > 0 ? low : 0;
    if (alpha === Infinity) return positions < 0 ? high : Infinity;
    const wanted = alpha * 10 ** (positions / PER_DECADE);
    if (wanted < low && positions < 0) return alpha > low ? low : ends(study)[0];
    if (wanted > high && positions > 0) return alpha < high ? high : Infinity;
    return Math.max(Number(wanted.toPrecision(6)), study.weakest);
  }

  /** Where a key leads from `alpha`; undefined for a key that does not move it. */
  function keyed(study, alpha, key, fine) {
    if (key === "Home") return ends(study)[0];
    if (key === "End") return Infinity;
    return STEPS[key] && moved(study, alpha, STEPS[key][fine ? 1 : 0]);
  }

  /** A strength as it is typed, in six digits: 0.5, 6.22334e-5, ∞. */
  function short(alpha) {
    const rounded = Number(alpha.toPrecision(6));
    return rounded > 0 && rounded < 1e-3 ? String(rounded.toExponential()) : typed(rounded);
  }

  /** What says that a strength cannot be asked for, and what can. */
  function refusal(study, text, kept) {
    const least = study.weakest > 0 ? `${number(study.weakest, 4)}, the weakest that has a solution,` : "0";
    return `α is a number from ${least} to ∞ (inf), not “${text}”; ${number(kept, 4)} is kept.`;
  }

  /** α in a sentence about the model at it (M1, M9, M14). */
  function sentence(study, state) {
    const seen = study.state(state.target, state.alpha);
    const used = `${number(seen.gamma, 3)} of ${number(seen.of, 4)} parameters are in use`;
    const said = [`At α = ${number(state.alpha, 4)}, ${used}`, `training ${study.unit} ${number(seen.trainLoss, 4)}`];
    const { estimate } = seen;
    if (estimate && Number.isFinite(estimate.value)) {
      said.push(`${estimate.label} ${number(estimate.value, 4)}${compared(study, state, estimate)}`);
    }
    return `${said.join("; ")}.`;
  }

  /** The estimate beside that of the chosen strength, in per cent. */
  function compared(study, state, estimate) {
    const chosen = study.chosen(state.target);
    if (chosen === state.alpha) return ", as chosen";
    const best = study.value(state.target, estimate.name, chosen);
    const rise = 100 * (estimate.value / best - 1);
    if (!(best > 0) || !Number.isFinite(rise)) return "";
    if (Math.abs(rise) < 0.005) return ", as good as the chosen one";
    return `, ${number(Math.abs(rise), 2)} % ${rise > 0 ? "above" : "below"} the chosen one`;
  }

  // --- the elements -----------------------------------------------------------------------------------

  const by = (id) => document.getElementById(id);

  function slider(study, state) {
    const [input, dial] = [by("alpha"), scale(study)];
    set(input, { min: 0, max: dial.last, step: 1 });
    input.addEventListener("input", () => state.set({ alpha: dial.value(Number(input.value)) }));
    input.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const alpha = keyed(study, state.alpha, event.key, event.shiftKey);
      if (alpha === undefined) return;
      event.preventDefault();
      state.set({ alpha });
    });
    return () => {
      const used = number(study.state(state.target, state.alpha).gamma, 3);
      input.value = dial.position(state.alpha);
      set(input, { "aria-valuetext": `α = ${number(state.alpha, 3)}, ${used} parameters in use` });
    };
  }

  function field(study, state) {
    const [input, refused] = [by("alpha-number"), by("alpha-refused")];
    const ask = () => {
      const alpha = parse(input.value);
      const good = legal(study, alpha);
      set(input, { "aria-invalid": String(!good) });
      refused.textContent = good ? "" : refusal(study, input.value, state.alpha);
      if (good) state.set({ alpha });
    };
    input.addEventListener("input", () => { input.dataset.typing = "yes"; });
    input.addEventListener("change", ask);
    input.addEventListener("blur", () => { delete input.dataset.typing; });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") mend(state);
    });
    let before = state.alpha;
    return () => {
      const moved_ = state.alpha !== before;
      before = state.alpha;
      if (moved_) return mend(state);
      if (!input.dataset.typing && input.getAttribute("aria-invalid") !== "true") mend(state);
    };
  }

  /** Show the strength of the state in the field, whatever stood there. */
  function mend(state) {
    const input = by("alpha-number");
    delete input.dataset.typing;
    set(input, { "aria-invalid": "false", title: String(state.alpha) });
    by("alpha-refused").textContent = "";
    input.value = short(state.alpha);
  }

  function targets(study, state) {
    const select = by("target");
    if (!select) return () => {};
    study.targets.forEach((name, place) => select.append(new Option(name, place)));
    select.addEventListener("change", () => {
      const target = Number(select.value);
      const untouched = state.alpha === study.chosen(state.target);
      const alpha = untouched ? study.chosen(target) : state.alpha;
      state.set({ target, alpha, highlight: [], direction: null });
    });
    return () => { select.value = String(state.target); };
  }

  function axis(state) {
    const buttons = Array.from(document.querySelectorAll("[data-axis]"));
    for (const button of buttons) {
      button.addEventListener("click", () => state.set({ axis: button.dataset.axis }));
    }
    return () => buttons.forEach((each) => set(each, { "aria-pressed": String(each.dataset.axis === state.axis) }));
  }

  /** A panel of all controls and of the sentence beside them. */
  function create(study, state) {
    const parts = [slider(study, state), field(study, state), targets(study, state), axis(state)];
    by("alpha-reset").addEventListener("click", () => state.set({ alpha: study.chosen(state.target) }));
    function show() {
      for (const part of parts) part();
      by("alpha-reset").disabled = state.alpha === study.chosen(state.target);
      by("now").textContent = sentence(study, state);
    }
    return { show };
  }

  return Object.freeze({ legal, scale, ends, moved, keyed, refusal, sentence, short, create });
})();
