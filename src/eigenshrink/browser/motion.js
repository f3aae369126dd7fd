"use strict";
/** What moves on a page: something called at every frame, and the player of the three steps (M7). */
globalThis.motion = (() => {
  const STEP = 1100; // milliseconds of one of the three steps
  const REST = 350; // and between them
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  /** `start(move)` calls `move(milliseconds)` at every frame until it returns true or `stop()`. */
  function ticker(onChange) {
    let request = 0;
    function stop() {
      cancelAnimationFrame(request);
      request = 0;
      onChange(false);
    }
    function start(move, shown = true) {
      stop();
      onChange(shown);
      let before = null;
      const tick = (now) => {
        const done = move(before === null ? 0 : now - before);
        before = now;
        if (done) stop();
        else request = requestAnimationFrame(tick);
      };
      request = requestAnimationFrame(tick);
    }
    return { start, stop, running: () => request !== 0 };
  }

  /**
   * Let the time of the three steps, from 0 to 3, be played, stepped and scrubbed.
   *
   * Who wants no motion sees whole steps only.
   *
   * @param {{play: Element, back: Element, on: Element, time: Element}} controls  three buttons and a range
   * @param {{get: function(): number, move: function(number): void, rest: function(): void}} time  `rest`
   *   is called where a movement ends
   */
  function player(controls, time) {
    const clock = ticker((playing) => { controls.play.textContent = playing ? "Pause" : "Play"; });
    const next = () => Math.min(3, Math.floor(time.get() + 1e-9) + 1);

    /** Move the time to `last`, resting at whole steps; without motion it jumps from one to the next. */
    function animate(last, shown) {
      let [from, to, passed] = [time.get(), next(), 0];
      clock.start((elapsed) => {
        passed += elapsed;
        const part = Math.min(1, passed / STEP);
        time.move(still.matches ? to : from + (to - from) * shrink.ease(part));
        if (passed >= STEP + (to < last ? REST : 0)) [from, to, passed] = [to, to + 1, 0];
        if (to > last) time.rest();
        return to > last;
      }, shown);
    }

    function scrub(wanted) {
      clock.stop();
      time.move(wanted);
      time.rest();
    }

    controls.time.addEventListener("input", () => scrub(Number(controls.time.value)));
    controls.play.addEventListener("click", () => {
      if (clock.running()) return clock.stop();
      if (time.get() >= 3) time.move(0);
      animate(3, true);
    });
    controls.on.addEventListener("click", () => {
      if (time.get() >= 3) scrub(0);
      animate(next(), false);
    });
    controls.back.addEventListener("click", () => scrub(Math.max(0, Math.ceil(time.get() - 1e-9) - 1)));
    return clock;
  }

  return Object.freeze({ ticker, player, still });
})();
