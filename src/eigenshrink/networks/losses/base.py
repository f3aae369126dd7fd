"""What a loss is to a network: its terms, what the mean divides by, its curvature in the output (M4)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn

from eigenshrink.errors import InputError
from eigenshrink.models.loss import Loss
from eigenshrink.path.measured import RowLosses

Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class NetLoss(ABC):
    """A loss as PyTorch reduces it: ``L = Σ terms / Σ counts`` over the whole data set.

    A new one is a subclass in a file of its own with ``terms``, ``counts`` and ``middle``, and a line in
    the registry; its fields are the options of the module in PyTorch, by the same names. Outputs are one
    tensor with the rows leading (:meth:`arrange`).
    """

    modules: ClassVar[tuple[type[nn.Module], ...]] = ()  # torch.nn
    functions: ClassVar[tuple[Any, ...]] = ()  # torch.nn.functional
    by_row: ClassVar[bool] = True  # can be taken apart into rows
    per_count: ClassVar[float] = 1.0  # house losses (half deviances) per count

    @property
    @abstractmethod
    def house(self) -> Loss:
        """The loss as the rest of the house knows it: name, unit, dispersion."""

    @abstractmethod
    def terms(self, output: Tensor, target: Any) -> Tensor:
        """Numbers that add up to ``L · denominator``, the rows leading."""

    @abstractmethod
    def counts(self, output: Tensor, target: Any) -> Tensor:
        """What each term adds to the denominator, in the same shape."""

    @abstractmethod
    def middle(self, output: Tensor, target: Any) -> Product:
        """Prepare ``U → H_L U`` for vectors ``(m, *output.shape)``, ``H_L`` that of the **summed** loss.

        Positive semi-definite, so that the Gauss-Newton matrix is too.
        """

    def curve(self, output: Tensor, target: Any, vectors: Tensor) -> Tensor:
        """``H_L U`` of the summed loss, ``(m, *output.shape)``."""
        return self.middle(output, target)(vectors)

    def arrange(self, output: Any, target: Any) -> Tensor:
        """What the model gave as one tensor; logits of a record that has them.

        Raises
        ------
        InputError
            If it is none, or its shape does not belong to the target.
        """
        tensor = logits_of(output)
        self.fits(tensor, target)
        return tensor

    def fits(self, output: Tensor, target: Any) -> None:
        """Refuse shapes that the loss would stretch over each other."""
        if tuple(output.shape) != tuple(target.shape):
            raise InputError(
                f"the model gives {tuple(output.shape)} for a target of shape {tuple(target.shape)}; "
                f"{self.house.name} compares number with number: give both one shape, "
                "as output.squeeze(-1) or target.unsqueeze(-1) do"
            )

    def sum(self, output: Tensor, target: Any) -> Tensor:
        """``L · denominator`` of a batch, differentiable."""
        return self.terms(output, target).sum()

    def denominator(self, target: Any, output: Tensor) -> float:
        """What the mean over this batch divides by."""
        return float(accurate(self.counts(output, target)).sum())

    def weight_sum(self, target: Any, output: Tensor) -> float:
        """Share of this batch in S: ``S · L`` is the summed house loss."""
        return self.per_count * self.denominator(target, output)

    def observations(self, target: Any, output: Tensor) -> float:
        """Share of this batch in ν: number of targets that are summed."""
        return float((self.counts(output, target) > 0).sum())

    def scale(self, outputs: int = 1) -> float:
        """``L = scale ×`` (mean over rows of the house loss): 2/t for MSE, 1/t for BCE."""
        return 1.0 / (self.per_count * outputs)

    def wrong(self, output: Tensor, target: Any) -> Tensor | None:
        """Share of each row's targets that are put into a wrong class, ``(n,)``; None: no classes."""
        return None

    def rows(self, output: Tensor, target: Any) -> RowLosses:
        """One row per sample: ``Σ weights · values / Σ weights`` is the loss."""
        output = accurate(output.detach())
        target = accurate(target)
        terms = self.terms(output, target)
        total = terms.reshape(len(terms), -1).sum(1).numpy()
        counts = self.counts(output, target).double()
        weight = counts.reshape(len(counts), -1).sum(1).numpy()
        wrong = self.wrong(output, target)
        values = np.divide(total, weight, out=np.zeros(len(total)), where=weight > 0)
        return RowLosses(values, weight, None if wrong is None else wrong.double().numpy())


def logits_of(output: Any) -> Tensor:
    """The tensor among what a model gave."""
    if isinstance(output, dict) and "logits" in output:
        output = output["logits"]
    output = getattr(output, "logits", output)
    if not isinstance(output, Tensor):
        raise InputError(
            f"the model gives a {type(output).__name__}; it must give one tensor or an object with .logits: "
            "wrap it in a module that returns the tensor the loss compares with the target"
        )
    return output


def accurate(value: Any) -> Any:
    """In float64 on the CPU."""
    if isinstance(value, Tensor):
        value = value.cpu()
        return value.double() if value.is_floating_point() else value
    return value


def like(option: Tensor | None, output: Tensor) -> Tensor | None:
    """An option of the loss, such as class weights, where the output is."""
    return None if option is None else option.detach().to(output)
