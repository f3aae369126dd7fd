"""α of this house and everybody else's number for the same model, both ways.

The only place that rescales a strength. :func:`convert` turns one number into another,
:func:`equivalence` says what a peer wants and why, :func:`equivalents` lists all of them for one
fitted problem, :func:`objective` prints what is being minimised.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

from eigenshrink.errors import InputError
from eigenshrink.units.facts import Facts, Given, close, strength
from eigenshrink.units.objective import objective
from eigenshrink.units.peers import PEERS, Peer

if TYPE_CHECKING:
    from typing import Unpack

    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

__all__ = ["PEERS", "Facts", "Peer", "convert", "equivalence", "equivalents", "objective"]


@overload
def convert(
    value: float, to: str | None = None, *, from_: str | None = None, **facts: Unpack[Facts]
) -> float | None: ...
@overload
def convert(
    value: npt.ArrayLike, to: str | None = None, *, from_: str | None = None, **facts: Unpack[Facts]
) -> float | Array | None: ...
def convert(
    value: Any, to: str | None = None, *, from_: str | None = None, **facts: Unpack[Facts]
) -> float | Array | None:
    """Turn α into a peer's number for the same model, or the peer's number into α.

    Parameters
    ----------
    value : float or array, >= 0
        With ``to`` the strength α in house units, loss / weight² (M1); with ``from_`` the peer's number.
        0 and inf are legal: ``C`` is inf where α is 0.
    to, from_ : str
        Exactly one of them, package.Name as imported, e.g. "sklearn.Ridge"; :data:`PEERS` has all.
    rows, columns, outputs : int
        n, p and t.
    weight_sum : float
        S, the sum of the sample weights; n where there are none.
    target_sd : float or array
        Weighted standard deviation of y dividing by S; √mean(y²) for a fit without intercept.
    penalty_factor_sum : float
        Sum of glmnet's penalty.factor, where it is used.
    batch_size : float
        Rows of a batch, or the sum of their weights.
    momentum : float, in [0, 1)
        μ of the optimiser, where the decay is decoupled.
    loss : str
        "squared" (or "MSELoss", ...), "logistic", "multinomial", "poisson", "gamma", "tweedie".
    loss_scale : float
        Your loss divided by the house's L; instead of loss and outputs.
    position : "before" or "after"
        Of optax's decay, seen from the momentum.
    solver : str
        "liblinear" is refused: it penalises the intercept.

    Returns
    -------
    float, array or None
        None where no number gives the same model: AdamW, gradient boosting, another loss.

    Raises
    ------
    InputError
        If ``value`` is negative or NaN, the peer is unknown, or it needs a fact that is not given.
        Nothing that changes the number is assumed; facts that a peer does not use are ignored.

    Notes
    -----
    Every rule was proved against its peer, to the tolerance in ``equivalence(to).tolerance``.
    Penalty factors other than 1 are outside: give the peer the same ones, or scale its columns.

    Examples
    --------
    >>> convert(0.01, to="sklearn.Ridge", weight_sum=442)
    4.42
    >>> convert(4.42, from_="sklearn.Ridge", weight_sum=442)
    0.01
    >>> convert([0.0, 0.1], to="sklearn.LogisticRegression", weight_sum=100)
    array([inf, 0.1])
    >>> convert(0.01, to="torch.AdamW") is None
    True
    """
    peer = equivalence(_only_one(to, from_))
    given = Given(facts, peer.name)
    number = strength(value, "alpha" if from_ is None else peer.parameter)
    return _apply(peer, number, given, back=from_ is not None)


def equivalence(name: str) -> Peer:
    """Tell what a peer calls its strength, its formula, what it needs and what to mind.

    Parameters
    ----------
    name : str
        A key of :data:`PEERS`.

    Raises
    ------
    InputError
        If there is no such peer; the message names the nearest ones.

    Examples
    --------
    >>> print(equivalence("statsmodels.WLS"))
    statsmodels.WLS: alpha = α. Confirmed by fitting it: coefficients agree to 1e-12. Set L1_wt=0 ...
    """
    if name not in PEERS:
        raise InputError(f"there is no peer {name!r}: {close(str(name), PEERS)}")
    return PEERS[name]


@overload
def equivalents(
    alpha: float, *, loss: str = "squared", standardize: bool = False, **facts: Any
) -> dict[str, float | None]: ...
@overload
def equivalents(
    alpha: npt.ArrayLike, *, loss: str = "squared", standardize: bool = False, **facts: Any
) -> dict[str, float | Array | None]: ...
def equivalents(
    alpha: Any, *, loss: str = "squared", standardize: bool = False, **facts: Any
) -> dict[str, Any]:
    """Convert α for every peer that minimises ``loss`` and for which the facts suffice.

    Parameters
    ----------
    alpha : float or array, >= 0
        House units.
    loss : str
        As in :func:`convert`.
    standardize : bool
        Whether α belongs to ``d_j = sd_n(x_j)²``: the numbers are then for a peer told to standardise, or
        given columns divided by their sd. Without it peers that always standardise are left out.
    **facts
        As in :func:`convert`.

    Returns
    -------
    dict
        Peer to number, in the order of :data:`PEERS`; None where there is no number.

    Raises
    ------
    InputError
        If ``alpha`` or a fact that was given cannot be used.

    Examples
    --------
    >>> equivalents(0.5, loss="gamma", weight_sum=10)["mgcv.paraPen"]
    5.0
    """
    given = Given({**facts, "loss": loss}, "equivalents")
    number = strength(alpha, "alpha")
    found = {}
    for peer in PEERS.values():
        if given["loss"] in peer.losses and (standardize or not peer.standardises):
            try:
                found[peer.name] = _apply(peer, number, given, back=False)
            except InputError:  # the facts are checked already: one is missing
                continue
    return found


def _only_one(to: str | None, from_: str | None) -> str:
    name = from_ if to is None else to
    if name is None or (to is not None and from_ is not None):
        raise InputError("convert needs exactly one of to= and from_=, e.g. to='sklearn.Ridge'")
    return name


def _apply(peer: Peer, number: float | Array, given: Given, *, back: bool) -> float | Array | None:
    minimises = given.get("loss", peer.losses[0]) in peer.losses
    factor = peer.rule.factor(given) if minimises else None
    if factor is None:
        return None
    if peer.rule.reciprocal:
        return _reciprocal(number * factor)
    result: float | Array = number / factor if back else number * factor
    return result


def _reciprocal(number: Any) -> float | Array:
    if isinstance(number, float):
        return 1.0 / number if number else math.inf
    import numpy as np

    with np.errstate(divide="ignore"):
        return np.asarray(1.0 / number)
