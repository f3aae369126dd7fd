"use strict";
/** The playground: one state, the controls that change it, the players that move it (M2, M3, M7-M10). */
(() => {
  const { number, parse, typed, logarithmic } = frame;
  const { EDGE } = panels;
  const QUIET = 500; // milliseconds without change before a change is read out
  const ARRIVED = 1e-9; // distance at which training is over
  const MOST = 2e6; // steps of training
  const AT_ONCE = 1e5; // of them, where nothing may move
  const by = (id) => document.getElementById(id);

  const LECTURE = {
    eigenvalues: [2, 0.25], degrees: -30, minimiser: [2.6, 1.4], alpha: 0.5, time: 0,
    rate: 0.1, start: [-0.5, 3.2], decay: true,
  };
  const EXAMPLES = {
    lecture: {},
    needle: { eigenvalues: [20, 0.05], degrees: -60, minimiser: [2.2, 2.4], alpha: 0.2, rate: 0.05 },
    round: { eigenvalues: [1, 1], alpha: 1, rate: 0.2 },
    flat: { eigenvalues: [1, 0], degrees: 35, minimiser: [2.5, -0.5], alpha: 0.1 },
    wild: { eigenvalues: [4, 0.25], alpha: 1, rate: 0.42, start: [1, 0.5] },
  };

  const state = { ...LECTURE, run: null };
  const pictures = {
    touching: panels.touching(by("touch-picture")),
    training: panels.training(by("train-picture")),
  };
  const redraws = [
    pictures.touching.redraw, panels.keeping(by("keep-picture")), panels.curves(by("curve-picture")),
    scenes.steps(by("steps-picture"), "steps-picture", panels.GRID), pictures.training.redraw, writeNumbers, writeWords, showControls,
  ];

  // --- state ------------------------------------------------------------------------------------------

  function show() {
    const seen = panels.look(state);
    for (const redraw of redraws) redraw(seen);
  }

  function change(part) {
    Object.assign(state, part);
    if ("start" in part) restart();
    if (!("time" in part)) state.run.over = "";
    if (state.decay && state.alpha === Infinity) training.stop();
    show();
    announce(() => by("said").textContent);
  }

  function restart() {
    state.run = { at: [...state.start], trail: [[...state.start]], count: 0, over: "" };
  }

  let waiting = 0;
  function announce(text) {
    clearTimeout(waiting);
    waiting = setTimeout(() => { by("announced").textContent = text(); }, QUIET);
  }

  // --- words and numbers --------------------------------------------------------------------------------

  function writeNumbers(seen) {
    const values = {
      gamma: seen.gamma, rise: 0.5 * seen.touch.ellipse ** 2, radius: seen.touch.circle, penalty: seen.price,
    };
    const pairs = {
      lambda: seen.eigenvalues, rotated: seen.rotated, share: seen.share, scaled: seen.scaled,
      minimiser: seen.minimiser, solution: seen.touch.point, moving: seen.moved.point, dot: seen.run.at,
    };
    for (const [name, both] of Object.entries(pairs)) [values[`${name}-1`], values[`${name}-2`]] = both;
    for (const cell of document.querySelectorAll("[data-number]")) {
      const value = values[cell.dataset.number];
      cell.textContent = number(Math.abs(value) < 1e-14 ? 0 : value, 9);
    }
  }

  function writeWords(seen) {
    by("said").textContent = words.answer(seen);
    by("keep-text").textContent = words.shares(seen);
    by("steps-text").textContent = scenes.told(seen);
    by("train-text").textContent = words.training(seen);
    by("term").className = seen.decay ? "" : "off";
  }

  // --- controls ---------------------------------------------------------------------------------------

  /** A slider and a field for one number; both show the state, and either changes it. */
  function control(id, scale, bounds, get, put) {
    const [slider, field] = [by(id), by(`${id}-typed`)];
    if (scale) frame.set(slider, { min: 0, max: scale.last, step: 1 });
    slider.addEventListener("input", () => {
      put(scale ? scale.value(Number(slider.value)) : Number(slider.value));
    });
    listen(field, bounds, put);
    return () => {
      const value = get();
      slider.value = scale ? scale.position(value) : value;
      frame.set(slider, { "aria-valuetext": number(value, 3) });
      keep(field, value);
    };
  }

  /** A field alone; a number that cannot be is refused in words, and the last one stays. */
  function listen(field, [low, high, what], put) {
    field.addEventListener("input", () => { field.dataset.typing = "yes"; });
    field.addEventListener("blur", () => { delete field.dataset.typing; });
    field.addEventListener("change", () => {
      delete field.dataset.typing;
      const value = parse(field.value);
      const good = value >= low && value <= high;
      field.setAttribute("aria-invalid", String(!good));
      by("refused").textContent = good ? "" : `${what} is a number from ${number(low)} to ${number(high)}, `
        + `not “${field.value}”; the last one is kept.`;
      if (good) put(value);
    });
  }

  /** Show a value in a field, unless somebody is typing there or has to mend what is in it. */
  function keep(field, value) {
    if (field.dataset.typing || field.getAttribute("aria-invalid") === "true") return;
    field.value = typed(value);
  }

  function coordinate(id, name, i) {
    const put = (value) => change({ [name]: state[name].map((old, j) => (i === j ? value : old)) });
    listen(by(id), [-EDGE, EDGE, "A weight of this picture"], put);
    return () => keep(by(id), state[name][i]);
  }

  const curvature = (i) => (value) => {
    change({ eigenvalues: state.eigenvalues.map((old, j) => (i === j ? value : old)) });
  };
  const curved = logarithmic(0.01, 100, 50, { zero: true });
  const shown = [
    control("alpha", logarithmic(1e-4, 1e4, 50, { zero: true, infinity: true }), [0, Infinity, "α"],
      () => state.alpha, (alpha) => change({ alpha })),
    control("first", curved, [0, 1e6, "λ₁"], () => state.eigenvalues[0], curvature(0)),
    control("second", curved, [0, 1e6, "λ₂"], () => state.eigenvalues[1], curvature(1)),
    control("degrees", null, [-180, 180, "The angle"], () => state.degrees, (degrees) => change({ degrees })),
    control("rate", logarithmic(1e-3, 10, 50), [1e-6, 1e3, "η"], () => state.rate, (rate) => change({ rate })),
    coordinate("star-1", "minimiser", 0), coordinate("star-2", "minimiser", 1),
    coordinate("start-1", "start", 0), coordinate("start-2", "start", 1),
    () => { by("time").value = state.time; },
    () => { frame.set(by("time"), { "aria-valuetext": by("steps-text").textContent }); },
    () => { by("decay").checked = state.decay; },
    () => { by("run").disabled = by("once").disabled = state.decay && state.alpha === Infinity; },
  ];
  function showControls() {
    for (const refresh of shown) refresh();
  }

  by("alpha-zero").addEventListener("click", () => change({ alpha: 0 }));
  by("alpha-infinite").addEventListener("click", () => change({ alpha: Infinity }));
  by("decay").addEventListener("change", () => change({ decay: by("decay").checked }));
  for (const button of document.querySelectorAll("[data-example]")) {
    button.addEventListener("click", () => {
      stepping.stop();
      training.stop();
      for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
      by("refused").textContent = "";
      change({ ...LECTURE, ...EXAMPLES[button.dataset.example] });
    });
  }
  for (const [picture, name] of [["touching", "minimiser"], ["training", "start"]]) {
    const { handle } = pictures[picture];
    const move = (point) => change({ [name]: point });
    panels.movable(handle, handle.ownerSVGElement, panels.WINDOW, { get: () => state[name], move });
  }

  // --- players ----------------------------------------------------------------------------------------

  const stepping = motion.player(
    { play: by("play"), back: by("step-back"), on: by("step-on"), time: by("time") },
    {
      get: () => state.time,
      move(time) {
        state.time = time;
        show();
      },
      rest: () => announce(() => by("steps-text").textContent),
    },
  );
  const training = motion.ticker((playing) => { by("run").textContent = playing ? "Pause" : "Run"; });

  /** Some steps of gradient descent (M3); stops where it arrives, and at the edge where it diverges. */
  function descend(count) {
    const seen = panels.look(state);
    const { run } = state;
    const [wild, end] = [words.growth(seen) > 1, words.goal(seen)];
    for (let i = 0; i < count && !run.over; i++) {
      const slope = shrink.gradient(seen.eigenvalues, seen.Q, seen.minimiser, run.at);
      run.at = shrink.updateStep(run.at, slope, state.decay ? state.alpha : 0, state.rate);
      run.count += 1;
      if (wild && Math.max(...run.at.map(Math.abs)) > EDGE) run.over = "lost";
      else if (Math.hypot(run.at[0] - end[0], run.at[1] - end[1]) < ARRIVED) run.over = "arrived";
      else if (run.count >= MOST) run.over = "endless";
    }
    run.trail.push([...run.at]);
    if (run.trail.length > 4000) run.trail = run.trail.filter((_, i) => i % 2 === 0);
    show();
    if (run.over) announce(() => by("train-text").textContent);
    return run.over !== "";
  }

  /** Steps per second, so that a walk takes some seconds whatever the learning rate. */
  function pace() {
    const shrinks = state.eigenvalues.map((value) => value + (state.decay ? state.alpha : 0))
      .filter((value) => value > 0).map((value) => Math.abs(1 - state.rate * value)).filter((value) => value < 1);
    const slowest = Math.max(0.5, ...shrinks);
    return Math.max(20, Math.log(1e-3) / Math.log(slowest) / 5);
  }

  by("run").addEventListener("click", () => {
    if (training.running()) return training.stop();
    if (state.run.over) restart();
    let owed = 1;
    training.start((elapsed) => {
      owed += motion.still.matches ? AT_ONCE : (elapsed / 1000) * pace();
      const count = Math.floor(owed);
      owed -= count;
      return count > 0 && descend(count);
    });
  });
  by("once").addEventListener("click", () => {
    training.stop();
    if (state.run.over) restart();
    descend(1);
  });
  by("again").addEventListener("click", () => {
    training.stop();
    restart();
    show();
  });

  restart();
  show();
})();
