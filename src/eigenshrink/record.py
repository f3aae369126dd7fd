"""The study: everything that one fit says about every strength, computed when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigenshrink import inference
from eigenshrink.audit import Audit, Examined, Finding, examine
from eigenshrink.choice import Choice, choose, given
from eigenshrink.curvature import Curvature
from eigenshrink.data.checks import check_matrix, check_offset, column_names
from eigenshrink.data.memory import predict
from eigenshrink.directions import Directions, directions
from eigenshrink.errors import InputError
from eigenshrink.facts import Facts
from eigenshrink.path import KrylovPath, QuadraticPath
from eigenshrink.path import Path as AnyPath
from eigenshrink.path.display import shown_strengths
from eigenshrink.penalty import one_strength, strengths
from eigenshrink.risk import ERRORS, RiskCurve
from eigenshrink.risk.curves import Curves
from eigenshrink.spectrum import Spectrum

if TYPE_CHECKING:
    from eigenshrink.plots import Plots
    from eigenshrink.report.provenance import Origin

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Asked:
    """What the user asked of the choice.

    Attributes
    ----------
    alpha : None or array
        None: to be chosen.
    criterion : str
    per_target : bool
    select : str
    """

    alpha: Any = None
    criterion: str = "auto"
    per_target: bool = True
    select: str = "best"


@dataclass(frozen=True, eq=False, repr=False)
class Study:
    """One fit, every strength; see DESIGN of the public shapes in :func:`eigenshrink.study`.

    Attributes
    ----------
    path : QuadraticPath, AnchoredPath or KrylovPath
        The regularised model for every strength.
    facts : Facts
    feature_names, target_names : sequence of str
        Of a network: its weights, and what is minimised.
    loss : str
    asked : Asked
    tables : mapping
        Curves that need rows, tabulated: only in a study that was loaded from a file.
    findings : tuple of Finding or None
        The audit of a study that was loaded from a file.
    decided : Choice or None
        Its choice.
    row_numbers : (n given,) or None
        What people call the rows that were given, counted from 1; None: they are counted from 0.
    classes : tuple
        Labels in the order of their codes; empty where the target is a number.
    """

    path: AnyPath
    facts: Facts
    feature_names: Sequence[str]
    target_names: tuple[str, ...]
    loss: str = "squared"
    asked: Asked = Asked()
    tables: Mapping[str, dict[str, Array]] | None = None
    findings: tuple[Finding, ...] | None = None
    decided: Choice | None = None
    row_numbers: NDArray[np.intp] | None = None
    classes: tuple[Any, ...] = ()

    @property
    def local(self) -> QuadraticPath:
        """The quadratic at the (first) chosen strength: the path itself where the loss is squared (M4)."""
        return self.path.local(float(self._chosen()[0]))

    @property
    def spectrum(self) -> Spectrum:
        """Eigenvalues and directions, with the curvature at the chosen strength."""
        return self.local.spectrum

    @property
    def curvature(self) -> Curvature:
        """H, by its products, there."""
        return self.local.fit.curvature

    @cached_property
    def risk(self) -> Mapping[str, RiskCurve]:
        """Estimates of the true error by name; ``study.risk["loo"](alpha)``."""
        return Curves(self.path, self.tables or {}, self._chosen)

    @property
    def estimate(self) -> RiskCurve:
        """The estimate of the true error to quote: the criterion that chose, or the one it goes with.

        Raises
        ------
        InputError
            If there is none: nothing judges a network.
        """
        for name in (self.choice.criterion, *ERRORS):
            if name in self.risk and self.risk[name].unit == self.path.loss.unit:
                return self.risk[name]
        raise InputError("the true error cannot be estimated: no rows judge the network, give val_loader=")

    @cached_property
    def choice(self) -> Choice:
        """The strength to take, and why."""
        if self.decided is not None:
            return self.decided
        if self.asked.alpha is not None:
            return given(self.asked.alpha, self.facts.targets, self.facts.one_target)
        return choose(self.path, self.risk, self.asked.criterion, self.asked.per_target, self.asked.select)

    @cached_property
    def audit(self) -> Audit:
        """The assumptions, checked."""
        if self.findings is not None:
            return Audit(self.findings)
        names = self.feature_names, self.target_names
        return examine(Examined(self.path, self.risk, self.choice, *names, self.row_numbers, self.classes))

    @property
    def alpha(self) -> Any:
        """Chosen strength, house units, ``()`` or ``(t,)``."""
        return self.choice.alpha

    @property
    def effective_parameters(self) -> Any:
        """γ at the chosen strength, ``()`` or ``(t,)`` (M9)."""
        return self.path.effective_parameters(self.alpha)

    @cached_property
    def alphas(self) -> Array:
        """Strengths for display, ascending; see :func:`eigenshrink.path.display.shown_strengths`."""
        return shown_strengths(self.path, self._chosen())

    @cached_property
    def objective(self) -> str:
        """The formula that is minimised (M1)."""
        from eigenshrink.report.result import objective_in_words

        return objective_in_words(self)

    @cached_property
    def equivalents(self) -> dict[str, float | None]:
        """The chosen strength in the numbers of other packages; empty for several targets."""
        from eigenshrink.report.result import peers

        return peers(self) if self.facts.one_target else {}

    def coef(
        self, alpha: ArrayLike | None = None, per_target: ArrayLike | None = None
    ) -> NDArray[np.floating]:
        """Coefficients in the unit of the columns, ``(p,)`` or ``(t, p)``.

        Parameters
        ----------
        alpha : None, scalar or (a,)
            None: as chosen. ``(a,)`` adds a leading axis.
        per_target : (t,), optional
            A strength for each target; not together with ``alpha``.

        Raises
        ------
        InputError
            If a strength is negative or NaN, or both arguments are given.
        """
        if per_target is None and alpha is not None:
            return self.path.weights(alpha)
        return self.path.coefficients(self._each(alpha, per_target))[0]

    def intercept(self, alpha: ArrayLike | None = None, per_target: ArrayLike | None = None) -> Any:
        """Intercept, ``()`` or ``(t,)``, with a leading axis for ``(a,)``; 0 where none is fitted."""
        if per_target is None and alpha is not None:
            return self.path.intercept(alpha)
        return self.path.coefficients(self._each(alpha, per_target))[1]

    def linear_predictor(
        self, X: Any, alpha: float | None = None, offset: ArrayLike | None = None
    ) -> NDArray[np.floating]:
        """``η = Xw + b + offset`` at one strength (None: as chosen), ``(n,)``, ``(n, t)`` or ``(n, c)``."""
        matrix = self._checked(X)
        strength = None if alpha is None else one_strength(alpha)
        level = self.path.level(float(self._chosen()[0]) if strength is None else strength)
        eta = predict(matrix, self.coef(strength), self.path.sample.column_mean, level)
        shift = check_offset(offset, len(eta))
        if shift is None:
            return eta
        return np.asarray(eta + shift.reshape(-1, *[1] * (eta.ndim - 1)), dtype=eta.dtype)

    def predict(
        self, X: Any, alpha: float | None = None, offset: ArrayLike | None = None
    ) -> NDArray[np.floating]:
        """Expected response of rows X ``(n, p)`` at one strength (None: as chosen), ``(n,)`` or ``(n, t)``.

        Probability of the second class for a logistic loss, of each class, ``(n, c)``, for a multinomial one.
        """
        eta = self.linear_predictor(X, alpha, offset)
        mean = self.path.loss.mean(np.asarray(eta, dtype=np.float64))
        return np.asarray(mean, dtype=eta.dtype)

    @property
    def dispersion(self) -> Any:
        """``φ̂ = RSS_s/(ν − γ)`` at the chosen strength, ``()`` or ``(t,)`` (M15)."""
        return inference.dispersion(self.path, per_target=self._chosen())

    @property
    def residual_df(self) -> Any:
        """``ν − γ`` at the chosen strength, ``()`` or ``(t,)`` (M15)."""
        return inference.residual_df(self.path, per_target=self._chosen())

    def covariance(
        self,
        alpha: ArrayLike | None = None,
        kind: str = "frequentist",
        per_target: ArrayLike | None = None,
    ) -> Any:
        """Covariance of the coefficients, the intercept last (M15): ``(p+1, p+1)`` or ``(t, p+1, p+1)``.

        Parameters
        ----------
        alpha : None, scalar or (a,)
            None: as chosen. ``(a,)`` adds a leading axis.
        kind : {"frequentist", "bayesian"}
            Scatter of the estimate, which is biased towards 0; or the posterior of the true weights.
        per_target : (t,), optional
            A strength for each target; not together with ``alpha``.

        Raises
        ------
        InputError
            If it would not fit (use :meth:`standard_errors`), or has no end: "bayesian" at α = 0 where
            the rows leave weights undetermined.

        Examples
        --------
        >>> import eigenshrink as es
        >>> s = es.study([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 2.0, 4.0], alpha=0.0)
        >>> s.covariance().round(2), round(s.dispersion, 3), s.residual_df
        (array([[ 0.18, -0.27],
               [-0.27,  0.63]]), 0.9, 2.0)
        """
        return inference.covariance(self.path, alpha, kind, self._each_or_chosen(alpha, per_target))

    def standard_errors(
        self,
        alpha: ArrayLike | None = None,
        kind: str = "frequentist",
        per_target: ArrayLike | None = None,
    ) -> Any:
        """Roots of the diagonal of :meth:`covariance`, without that array: ``(p+1,)`` or ``(t, p+1)``.

        Parameters
        ----------
        alpha, kind, per_target
            As there.
        """
        return inference.standard_errors(self.path, alpha, kind, self._each_or_chosen(alpha, per_target))

    def prediction_std(
        self, X: Any, alpha: float | None = None, kind: str = "frequentist", noise: bool = False
    ) -> NDArray[np.floating]:
        """Standard error of each prediction at one strength, ``(n,)`` or ``(n, t)`` (M15).

        Parameters
        ----------
        X : (n, p)
            Rows to predict for.
        alpha : None or scalar
            None: as chosen.
        kind : {"frequentist", "bayesian"}
            As in :meth:`covariance`.
        noise : bool
            Of a new observation of weight 1, and not of its mean.
        """
        strength = None if alpha is None else one_strength(alpha)
        each = self._each_or_chosen(strength, None)
        return inference.prediction_std(self.path, self._checked(X), strength, kind, noise, each)

    def directions(self, alpha: float | None = None, top: int = 3, target: int = 0) -> Directions:
        """Table of directions at one strength: eigenvalue, coordinate, share kept, columns (M8)."""
        if target not in range(self.facts.targets):
            raise InputError(f"target is {target}; this study has {self.facts.targets}, counted from 0")
        strength = float(self._chosen()[target]) if alpha is None else one_strength(alpha)
        return directions(self.path.local(strength), strength, self.weight_names, top, target)

    @property
    def weight_names(self) -> Sequence[str]:
        """A name for each weight: the columns, for a multinomial loss those of one class after the other."""
        if self.loss != "multinomial" or isinstance(self.path, KrylovPath):
            return self.feature_names
        return tuple(f"{label}: {name}" for label in self.classes for name in self.feature_names)

    @property
    def plot(self) -> Plots:
        """Figures: ``study.plot.risk()``, ``study.plot.contour(ax=ax)``, ..."""
        from eigenshrink.plots import Plots

        return Plots(self)

    def summary(self) -> str:
        """The answer as a page of plain text."""
        from eigenshrink.report.summary import summary

        return summary(self)

    def report(
        self, path: str | Path, notes: Sequence[str] = (), source: str = "", origin: Origin | None = None
    ) -> None:
        """Write one self-contained HTML page; notes, source and origin say what was done to which data."""
        from eigenshrink.report.page import write_report

        write_report(self, path, notes=notes, source=source, origin=origin)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON, as in ``result.json``."""
        from eigenshrink.report.result import to_dict

        return to_dict(self)

    def save(self, path: str | Path) -> None:
        """Write the study to one file without its rows; :func:`eigenshrink.load` reads it.

        What needs rows is kept as a table (leave-one-out, to about 1e-7 of its range) or is lost (the
        certificate becomes NaN). A network is written as safetensors, without model and rows. Nothing in
        the file is ever executed.
        """
        from eigenshrink.archive import write_study

        write_study(self, path)

    def __repr__(self) -> str:
        rows, columns = self.facts.rows, self.facts.columns
        return f"Study(loss={self.loss!r}, rows={rows}, columns={columns}): print(study.summary())"

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def _checked(self, X: Any) -> Any:
        """Rows to predict for: the columns of this study, in its order."""
        if isinstance(self.path, KrylovPath):
            raise InputError("a network predicts by itself: study.apply_(model, alpha), then model(inputs)")
        names = column_names(X)
        if names and names != self.feature_names:
            raise InputError(
                f"X has the columns {', '.join(names[:5])}...; this study was made of "
                f"{', '.join(self.feature_names[:5])}...: give them in that order"
            )
        matrix = check_matrix(X)
        if matrix.shape[1] != self.facts.columns:
            raise InputError(f"X has {matrix.shape[1]} columns; this study was made of {self.facts.columns}")
        return matrix

    def _chosen(self) -> Array:
        return np.broadcast_to(np.asarray(self.alpha, dtype=np.float64), (self.facts.targets,))

    def _each_or_chosen(self, alpha: ArrayLike | None, per_target: ArrayLike | None) -> Any:
        return self._chosen() if alpha is None and per_target is None else per_target

    def _each(self, alpha: ArrayLike | None, per_target: ArrayLike | None) -> Array:
        if per_target is None:
            return self._chosen()
        each = strengths(per_target)
        if alpha is not None:
            raise InputError("give alpha or per_target, not both")
        if each.shape != (self.facts.targets,):
            raise InputError(
                f"per_target has shape {each.shape}; a strength per target is needed: {(self.facts.targets,)}"
            )
        return each
