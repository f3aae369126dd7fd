"""What a search along the strengths has found: every evaluation, the best one, and how sure that is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from eigenshrink.data.digits import number

LONGER = 1.25  # times the effort that was asked for is worth a word
SURE = 2.0  # standard errors of a paired difference beyond which the rows can tell


@dataclass(frozen=True)
class Evaluation:
    """One training at one strength, and what was measured of it.

    Attributes
    ----------
    alpha : float
        House units: ``weight_decay`` of SGD, and of Adam inside the gradient.
    effort : float
        Asked for, in full trainings.
    train_loss : float or None
        Without penalty, of the rows that the curvature was taken from; None where it was not.
    validation_loss : float or None
        None: the training diverged.
    hypergradient : float or None
        ``dV/d log α`` (M13); None where nothing came after.
    predicted : tuple of pairs
        Strengths and the validation loss measured at ``w̃(α)``, nearest first.
    gradients : float
        Gradient evaluations of the training, in rows; forward passes count a third.
    steering : float
        The same of everything else: products with the curvature, passes over the rows that judge.
    spent : float
        Both together until here, in full trainings.
    diverged : str
        Why, if it did; else "".
    next_alpha : float or None
        Where to go on; None: this was the last.
    """

    alpha: float
    effort: float
    train_loss: float | None
    validation_loss: float | None
    hypergradient: float | None
    predicted: tuple[tuple[float, float], ...]
    gradients: float
    steering: float
    spent: float
    diverged: str = ""
    next_alpha: float | None = None

    @property
    def weight_decay(self) -> float:
        """What SGD, or Adam with the term in its gradient, is given."""
        return self.alpha

    def to_dict(self) -> dict[str, Any]:
        """For JSON; :meth:`of` reads it back."""
        return asdict(self) | {"predicted": [list(pair) for pair in self.predicted]}

    @classmethod
    def of(cls, told: dict[str, Any]) -> Evaluation:
        """Read one back."""
        pairs = tuple((float(a), float(v)) for a, v in told["predicted"])
        return cls(**{**told, "predicted": pairs})


@dataclass(frozen=True, eq=False)
class Tuning:
    """The strength that was found, with the whole search.

    Attributes
    ----------
    evaluations : tuple of Evaluation
        In their order.
    best : int
        Which of them has the lowest validation loss: its weights are in the model.
    alike : tuple of int
        Those that the rows that judge cannot tell from it: within two standard errors of the paired
        difference (M15).
    """

    evaluations: tuple[Evaluation, ...]
    best: int
    alike: tuple[int, ...]

    @property
    def alpha(self) -> float:
        """The strength of the best evaluation, house units."""
        return self.evaluations[self.best].alpha

    @property
    def weight_decay(self) -> float:
        """What SGD, or Adam with the term in its gradient, is given: house units are theirs."""
        return self.alpha

    @property
    def validation_loss(self) -> float:
        """Of the weights that are in the model."""
        loss = self.evaluations[self.best].validation_loss
        assert loss is not None
        return loss

    @property
    def spent(self) -> float:
        """Everything, in gradient evaluations of full trainings."""
        return self.evaluations[-1].spent

    @property
    def interval(self) -> tuple[float, float]:
        """Lowest and highest strength tried that the rows cannot tell from the best."""
        strengths = [self.evaluations[place].alpha for place in (self.best, *self.alike)]
        return min(strengths), max(strengths)

    @property
    def verdict(self) -> str:
        """What was found, in words."""
        found = (
            f"weight decay {number(self.alpha)}: validation loss {number(self.validation_loss)}, "
            f"for {number(self.spent, 3)} full trainings"
        )
        low, high = self.interval
        if low == high:
            return f"{found}; every other strength tried is worse by more than the noise of the rows"
        return (
            f"{found}; the validation rows cannot tell strengths from {number(low)} to {number(high)} apart"
        )

    def taken(self, place: int) -> float:
        """What a training took, in full trainings; ``effort`` is what it was asked to take."""
        first = self.evaluations[0]
        counted = first.gradients + first.steering
        return self.evaluations[place].gradients * first.spent / counted if counted else 0.0

    def summary(self) -> str:
        """The verdict and a line for each evaluation."""
        lines = [self.verdict]
        for place, one in enumerate(self.evaluations):
            mark = "*" if place == self.best else " "
            loss = one.diverged or f"validation loss {number(one.validation_loss)}"
            slope = "" if one.hypergradient is None else f", dV/dlog α {number(one.hypergradient, 2)}"
            effort = number(one.effort, 2)
            if self.taken(place) > LONGER * one.effort:
                effort = f"{number(self.taken(place), 2)} where {effort} was asked for"
            lines.append(f"{mark} α = {number(one.alpha)}, effort {effort}: {loss}{slope}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "alpha": self.alpha,
            "validation_loss": self.validation_loss,
            "interval": list(self.interval),
            "spent": self.spent,
            "best": self.best,
            "alike": list(self.alike),
            "evaluations": [one.to_dict() for one in self.evaluations],
        }
