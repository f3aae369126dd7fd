"use strict";
/** What the playground says of itself: sentences made of what `panels.look` saw, pure functions. */
globalThis.words = (() => {
  const { number, pair, percent } = frame;

  /** The whole picture in three sentences (M6, M8, M9). */
  function answer({ alpha, eigenvalues, share, gamma, minimiser, touch }) {
    const without = eigenvalues.every((value) => value > 0)
      ? `Without penalty it would end in w* = ${pair(minimiser)}.`
      : "Without penalty the loss has no single lowest point: along a direction with λ = 0 all are as low as w*.";
    return `At α = ${number(alpha, 4)} training ends in w̃ = ${pair(touch.point)}. ${without} Direction 1 keeps `
      + `${percent(share[0])}, direction 2 keeps ${percent(share[1])}: ${number(gamma, 3)} of 2 parameters are in use.`;
  }

  function shares({ share, gamma }) {
    return `λ₁/(λ₁+α) = ${number(share[0], 3)} and λ₂/(λ₂+α) = ${number(share[1], 3)}, together γ = ${number(gamma, 3)}.`;
  }

  /** Price that the training pays: α with the extra term, else 0. */
  function price({ alpha, decay }) {
    return decay ? alpha : 0;
  }

  /** Largest factor by which a step of training multiplies the distance to the goal (M3). */
  function growth(seen) {
    return Math.max(...seen.eigenvalues.map((value) => Math.abs(1 - seen.rate * (value + price(seen)))));
  }

  /** Learning rates from here on diverge: 2/(λ+α) for the larger λ. */
  function limit(seen) {
    return 2 / (Math.max(...seen.eigenvalues) + price(seen));
  }

  /** Where training rests: w̃ or w*; along a direction that nothing pulls at, where it began (M3). */
  function goal(seen) {
    const { eigenvalues, Q, minimiser, start } = seen;
    const [best, begun] = [minimiser, start].map((point) => shrink.times(shrink.transpose(Q), point));
    const kept = shrink.factors(eigenvalues, price(seen));
    return shrink.times(Q, eigenvalues.map((value, i) => (value + price(seen) === 0 ? begun[i] : kept[i] * best[i])));
  }

  /** How the training goes: on its way, at rest, lost, or without end. */
  function training(seen) {
    const { run, decay, alpha, eigenvalues, rate } = seen;
    if (decay && alpha === Infinity) return "At α = ∞ there is no step to take: the weights are 0 at once.";
    const after = `After ${number(run.count, 9)} ${run.count === 1 ? "step" : "steps"}`;
    const rule = `the learning rate η must stay below 2/(λ${decay ? "+α" : ""}) = ${number(limit(seen), 3)}`;
    const flat = eigenvalues.some((value) => value + price(seen) === 0);
    const place = flat ? "the place where nothing pulls any more" : decay ? "w̃" : "w*";
    if (run.over === "lost") {
      return `${after} the dot has left the picture, and each step goes farther than the last one: ${rule}, and it is `
        + `${number(rate, 3)}.`;
    }
    if (run.over === "arrived") return `${after} the dot has come to rest in ${place}: ${pair(run.at)}.`;
    const end = goal(seen);
    const left = number(Math.hypot(run.at[0] - end[0], run.at[1] - end[1]), 3);
    const here = `${after} the dot is at ${pair(run.at)}, ${left} away from ${place}`;
    if (run.over === "endless") return `${here}, and gets no closer in reasonable time: try another learning rate.`;
    return `${here}. To come to rest, ${rule}.`;
  }

  return Object.freeze({ answer, shares, training, growth, limit, goal });
})();
