"""The one-line update: αDw joins the gradients right before any optimiser's step (M2, M3)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from eigenshrink.errors import InputError
from eigenshrink.networks.exclude import Exclude, excluded, needs_model
from eigenshrink.penalty import L2, one_strength, strengths

OWN_DECAY = ("weight_decay", "lambd")  # what optimisers call theirs; lambd: ASGD

Moving: TypeAlias = list[tuple[float, list[Tensor]]]


class L2Hook:
    """Add ``αDw`` to the gradients right before each step of an optimiser (M3).

    One line in a training loop that exists, and every optimiser whose step is made of gradients minimises
    ``L(w) + (α/2) wᵀDw`` (M1) as far as it minimises anything. With SGD it is ``weight_decay=alpha``.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        One that decays by itself is refused.
    alpha : float, sequence of floats, or str
        Strength in the unit of the loss (that of ``weight_decay``), >= 0 and finite: one, one per parameter
        group, or the key under which each group holds its own. :attr:`alpha` may be set between steps.
    exclude : "bias", "norm", name, class of modules, parameter, or several of these
        What is not penalised: ``exclude=("bias", nn.LayerNorm)``. A name or class stands for everything
        below such a module. By default nothing is left out.
    model : Module, optional
        Where words, names and classes in ``exclude`` are looked up.

    Raises
    ------
    InputError
        If the optimiser decays already, maximises or has such a hook; if a strength, a name or the model
        is missing or cannot be used; at a step, if a gradient that needs the term is sparse.

    Notes
    -----
    Costs one copy of the gradients during the step; afterwards each ``grad`` is what it was, so that
    clipping, logging and accumulating see the loss alone. A step with a closure (LBFGS) gets gradients and
    loss of M1 from it. Gradients that a ``GradScaler`` leaves scaled for a fused optimiser get the term in
    their scale. Parameters without gradient are left alone, as optimisers do. The hook is no part of any
    ``state_dict``: make it again after loading. Krogh & Hertz (1991), NIPS 4.

    Examples
    --------
    >>> model = nn.Linear(2, 1, bias=False)
    >>> _ = nn.init.ones_(model.weight)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> hook = L2Hook(optimizer, alpha=0.5)
    >>> model(torch.zeros(1, 2)).sum().backward()  # the gradient of the loss is 0
    >>> optimizer.step()
    >>> model.weight.tolist()
    [[0.949..., 0.949...]]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        alpha: float | Sequence[float] | str,
        exclude: Exclude = (),
        *,
        model: nn.Module | None = None,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise InputError(f"optimizer is a {type(optimizer).__name__}; it needs a torch.optim.Optimizer")
        if attached(optimizer) is not None:
            raise InputError("optimizer has an L2Hook already: set its alpha, or call its remove() first")
        exclude = exclude if isinstance(exclude, str | type | Tensor) else tuple(exclude)
        self.optimizer = optimizer
        self.excluded = excluded(exclude, model)
        self._kept: list[tuple[Tensor, Tensor, Tensor]] = []
        if model is not None and needs_model(exclude):
            _all_known(optimizer, set(model.parameters()))
        self.alpha = alpha
        self._handles = (
            optimizer.register_step_pre_hook(self._before),
            optimizer.register_step_post_hook(self._after),
        )

    @property
    def alpha(self) -> float | Sequence[float] | str:
        """What was given: one strength, one per group, or a key of the groups."""
        return self._alpha

    @alpha.setter
    def alpha(self, alpha: float | Sequence[float] | str) -> None:
        before = getattr(self, "_alpha", alpha)
        self._alpha = alpha
        try:
            _ = self.alphas
        except InputError:
            self._alpha = before
            raise

    @property
    def alphas(self) -> list[float]:
        """Strength of each parameter group as of now, checked."""
        groups = self.optimizer.param_groups
        for place, group in enumerate(groups):
            _refuse_doubt(type(self.optimizer).__name__, place, group)
        if isinstance(self._alpha, str):
            return [_of_group(group, place, self._alpha) for place, group in enumerate(groups)]
        values = strengths(self._alpha)
        if np.isinf(values).any():
            raise InputError("alpha is inf, which no step can follow: give a finite strength")
        if values.shape not in {(), (len(groups),)}:
            raise InputError(
                f"alpha has shape {values.shape} and optimizer {len(groups)} parameter groups: give one "
                "strength, or one for each"
            )
        return [float(value) for value in np.broadcast_to(values, len(groups))]

    def remove(self) -> None:
        """Take the term away; the optimiser is as before."""
        for handle in self._handles:
            handle.remove()

    def __enter__(self) -> L2Hook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._back()
        self.remove()

    def _before(self, optimizer: Optimizer, args: Any, kwargs: Any) -> tuple[Any, Any] | None:
        """Put the term in, or into what the optimiser will call for gradients."""
        self._back()
        if len(args) > 1 and callable(args[1]):
            return (args[0], self._penalised(args[1]), *args[2:]), kwargs
        if callable(kwargs.get("closure")):
            return args, {**kwargs, "closure": self._penalised(kwargs["closure"])}
        self._put(self._moving(), getattr(optimizer, "grad_scale", None))
        return None

    def _after(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        self._back()

    def _penalised(self, closure: Callable[[], Any]) -> Callable[[], Any]:
        """The closure of ``L̃_α`` made of that of L: its loss, and the gradients that it leaves."""

        def evaluate() -> Any:
            self._back()
            loss = closure()
            moving = self._moving()
            self._put(moving)
            return loss if loss is None else loss + _price(moving)

        return evaluate

    @torch.no_grad()
    def _put(self, moving: Moving, scale: Tensor | None = None) -> None:
        """Exchange gradients for those of ``L̃_α`` (M2)."""
        for alpha, weights in moving:
            for weight, pull in zip(weights, L2(alpha).gradient(weights), strict=True):
                assert weight.grad is not None
                before, pull = weight.grad, pull if scale is None else pull.mul_(scale.to(pull.device))
                weight.grad = pull.add_(before)
                self._kept.append((weight, before, pull))

    def _moving(self) -> Moving:
        """Strength and parameters of each group that have gradients."""
        found = []
        for place, (group, alpha) in enumerate(zip(self.optimizer.param_groups, self.alphas, strict=True)):
            weights = [w for w in group["params"] if w.grad is not None and w not in self.excluded]
            if alpha > 0:
                _refuse_sparse(weights, place)
                found.append((alpha, weights))
        return found

    def _back(self) -> None:
        """Give each gradient back as it was, unless there is a newer one."""
        for weight, before, exchanged in self._kept:
            if weight.grad is exchanged:
                weight.grad = before
        self._kept.clear()


def attached(optimizer: Optimizer) -> L2Hook | None:
    """Return the hook of an optimiser, if it has one."""
    for hook in optimizer._optimizer_step_pre_hooks.values():
        owner = getattr(hook, "__self__", None)
        if isinstance(owner, L2Hook):
            return owner
    return None


def _all_known(optimizer: Optimizer, known: set[nn.Parameter]) -> None:
    for place, group in enumerate(optimizer.param_groups):
        for weight in group["params"]:
            if weight not in known:
                raise InputError(
                    f"optimizer group {place} has a parameter of shape {tuple(weight.shape)} that is not in "
                    "model, so exclude cannot tell what it is: give the model that holds all of them"
                )


def _refuse_doubt(optimizer: str, place: int, group: dict[str, Any]) -> None:
    """Refuse a decay beside this one, and ascent."""
    for key in OWN_DECAY:
        if float(group.get(key) or 0.0) > 0:
            raise InputError(
                f"{optimizer} has {key} = {float(group[key]):g} in group {place}, so that weights would be "
                f"decayed twice: make it with {key}=0, or leave the hook away"
            )
    if group.get("maximize"):
        raise InputError(
            f"{optimizer} has maximize=True in group {place}, where αDw would drive weights away from 0: "
            "minimise the negative loss"
        )


def _refuse_sparse(weights: list[Tensor], place: int) -> None:
    for weight in weights:
        if weight.grad is not None and weight.grad.layout != torch.strided:
            raise InputError(
                f"optimizer group {place} has a sparse gradient, of a parameter of shape "
                f"{tuple(weight.shape)}, and αDw is not sparse: make its layer with sparse=False, or "
                "exclude it"
            )


@torch.no_grad()
def _price(moving: Moving) -> float:
    """``Ω_α`` (M1); the weights may be on several devices."""
    return sum(float(L2(alpha).value(weight)) for alpha, weights in moving for weight in weights)


def _of_group(group: dict[str, Any], place: int, key: str) -> float:
    if key not in group:
        raise InputError(
            f"alpha is {key!r}, and optimizer group {place} has no such key: give each group one, as in "
            f"{{'params': ..., {key!r}: 1e-4}}"
        )
    alpha = one_strength(group[key], f"{key!r} of group {place}")
    if math.isinf(alpha):
        raise InputError(f"{key!r} of group {place} is inf, which no step can follow: give a finite strength")
    return alpha
