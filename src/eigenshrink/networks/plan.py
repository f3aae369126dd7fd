"""How a budget is shared out: one long training, a few short ones that steer, a last one with the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eigenshrink.networks.meter import FORWARD, PRODUCT
from eigenshrink.networks.steer import PRODUCTS, RUNGS
from eigenshrink.networks.tuning import Evaluation

FIRST = 1 / 3  # of the budget, for the first training
SHORT = 0.14  # of the budget, for each that follows but the last
STEERING = 0.25  # of the budget that steering may take
CURVED = 0.03  # of a full training, for the products of one round
MOST = 3  # rounds of steering
ROWS = 64  # at least, that the curvature is taken from
WORTH = 0.02  # of a full training: less is not worth a call


@dataclass(frozen=True)
class Costs:
    """In gradient evaluations, that is in rows.

    Attributes
    ----------
    full : float
        A full training.
    rows, judges : int
        Of the data, and those that judge.
    """

    full: float
    rows: int
    judges: int

    @property
    def share(self) -> float:
        """Of the rows whose curvature is taken."""
        affordable = CURVED * self.full / (PRODUCT * PRODUCTS)
        return min(1.0, max(affordable, ROWS) / self.rows)

    @property
    def round(self) -> float:
        """Steering once, at most."""
        products = PRODUCT * PRODUCTS + 2 * FORWARD
        return products * self.share * self.rows + self.judges * (1 + FORWARD * len(RUNGS))

    @property
    def last(self) -> float:
        """Judging without steering."""
        return FORWARD * (self.judges + 2 * self.share * self.rows)


def rounds(costs: Costs, budget: float) -> int:
    """How often to steer."""
    return max(1, min(MOST, int(STEERING * budget * costs.full / costs.round)))


def spent(each: Sequence[Evaluation], costs: Costs) -> float:
    """So far, in full trainings."""
    return sum(one.gradients + one.steering for one in each) / costs.full


def left(each: Sequence[Evaluation], costs: Costs, budget: float) -> float:
    """Of the budget, in full trainings, after the last judgement is paid; 0 where too little is left."""
    rest = budget - spent(each, costs) - costs.last / costs.full
    return rest if rest >= WORTH else 0.0


def effort(each: Sequence[Evaluation], costs: Costs | None, budget: float) -> float:
    """Of the next training, in full ones; 0 where the search has ended."""
    if costs is None or not each:
        return min(1.0, FIRST * budget)
    if each[-1].next_alpha is None:
        return 0.0
    good = sum(not one.diverged for one in each)
    share = 1.0 if good >= rounds(costs, budget) else FIRST * budget if not good else SHORT * budget
    return min(1.0, share, left(each, costs, budget))
