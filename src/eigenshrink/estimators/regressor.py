"""Numbers: the expected response of a generalised linear model, or ridge regression."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import column_or_1d, validate_data

from eigenshrink.data.checks import column_names
from eigenshrink.errors import InputError
from eigenshrink.estimators.base import DTYPES, L2Estimator, Values
from eigenshrink.models import find_loss, prepare

POSITIVE = ("poisson", "gamma", "inverse_gaussian", "tweedie")  # losses whose targets have no minus


class L2Regressor(RegressorMixin, L2Estimator):
    """A regression that chooses its strength of L2 regularisation from one fit, and can tell why (M5, M14).

    Minimises ``(1/S) Σ s_i ℓ(y_i, x_iᵀw + b + offset_i) + (α/2) Σ d_j w_j²``, ℓ half the unit deviance.
    For squared loss the strength is that of scikit-learn's ``Ridge`` divided by S, the sum of the sample
    weights; for Poisson, gamma and Tweedie losses that of its generalised linear regressors.

    Parameters
    ----------
    loss : {"squared", "poisson", "gamma", "inverse_gaussian", "tweedie", "binomial", "huber"}
        What is minimised. ``"tweedie:1.3"`` says the power (1.5), ``"huber:2"`` from which residual on it
        grows linearly (1.345 robust sd of the residuals of ridge regression).
    alpha : "auto", float or (t,), in [0, inf]
        House units.
    criterion : {"auto", "combined", "loo", "leave_group_out", "kfold", "gcv", "cp", "evidence"}
        What chooses alpha; "auto" minds groups that ``fit`` gets, and rows that are exact copies of others.
    select : {"best", "strongest-equivalent"}
        The minimum, or the strongest strength that cannot be told from it.
    folds : int, >= 2
        Of the criterion "kfold".
    fit_intercept : bool
        The intercept is never penalised.
    standardize : bool
        Penalise ``d_j = sd(x_j)²``; coefficients stay in original units.
    penalty_factor : (p,), >= 0, optional
        Relative strength per column; 0 leaves a column free.
    per_target : bool
        A strength for each target (squared loss).
    weight_kind : {"frequency", "precision"}
        In scikit-learn a weight of 2 means that the row occurs twice, hence "frequency", and the weights
        that choose alpha must be whole numbers. "precision": how exact a row is, the default of
        :func:`eigenshrink.study`. It makes no difference to the coefficients at a given alpha.
    tol : float
        Accuracy of the path; squared loss is solved directly.
    random_state : None, int or numpy generator
        Of the folds; None: the same draw each time.

    Attributes
    ----------
    coef_ : (p,) or (t, p)
    intercept_ : float or (t,)
    loss_ : str
        What was minimised, with its parameter.
    alpha_ : float or (t,)
        Chosen strength, house units.
    effective_parameters_ : float or (t,)
        γ at that strength (M9).
    study_ : Study
        Everything else. It holds the training rows, so it is left out when the estimator is pickled
        (``study_.save`` keeps it without rows).
    n_features_in_ : int
    feature_names_in_ : (p,) of str
        Where X has column names.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = L2Regressor().fit(X, y)
    >>> round(model.score(X, y), 2), round(model.effective_parameters_, 1)
    (0.52, 9.6)
    """

    def __init__(
        self,
        loss: str = "squared",
        alpha: ArrayLike | str = "auto",
        criterion: str = "auto",
        *,
        select: str = "best",
        folds: int = 5,
        fit_intercept: bool = True,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        per_target: bool = True,
        weight_kind: str = "frequency",
        tol: float = 1e-8,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            loss=loss,
            alpha=alpha,
            criterion=criterion,
            select=select,
            folds=folds,
            fit_intercept=fit_intercept,
            standardize=standardize,
            penalty_factor=penalty_factor,
            weight_kind=weight_kind,
            tol=tol,
            random_state=random_state,
        )
        self.per_target = per_target

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> L2Regressor:
        """Fit every strength, choose one.

        Parameters
        ----------
        X : (n, p), dense or sparse
        y : (n,); (n, t) targets of squared loss; (n, 2) successes and failures of binomial loss
        sample_weight : (n,), optional
            See ``weight_kind``. With fractions as binomial targets: the trials.
        groups : (n,) of labels, optional
            Rows that belong together and are left out together. Meta-estimators pass them on after
            ``set_fit_request(groups=True)``, where metadata routing is enabled.
        offset : (n,), optional
            Added to the linear predictor: the log of the exposure where the link is a logarithm.

        Raises
        ------
        InputError
            Naming the item that cannot be used.
        """
        if find_loss(self.loss).classes:
            raise InputError(f"loss={self.loss!r} tells classes apart: use L2Classifier, or another loss")
        names = column_names(y)
        X, y = validate_data(
            self, X, y, accept_sparse="csr", dtype=list(DTYPES), multi_output=True, y_numeric=True
        )
        if not self._wide:
            y = column_or_1d(y, warn=True)
        result = self._made(
            X,
            y,
            names,
            self._kind(sample_weight),
            loss=self.loss,
            sample_weight=sample_weight,
            groups=groups,
            offset=offset,
            per_target=self.per_target,
        )
        self._keep(result, result.coef(), result.intercept(), result.path.level(np.min(result.alpha)))
        return self

    def predict(self, X: Any, offset: ArrayLike | None = None) -> Values:
        """Expected response of rows X ``(n, p)``: ``(n,)`` or ``(n, t)``.

        Parameters
        ----------
        X : (n, p), dense or sparse
        offset : (n,), optional
            Added to the linear predictor, as in :meth:`fit`.
        """
        eta = self._predictor(X, offset)
        mean = find_loss(self.loss_).mean(eta.astype(np.float64, copy=False))
        return np.asarray(mean, dtype=eta.dtype)

    def score(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> float:
        """Share of the deviance explained, D², beside the mean of these rows: R² for squared loss.

        Parameters
        ----------
        X : (n, p)
        y : (n,) or (n, t)
            As in :meth:`fit`.
        sample_weight : (n,), optional
        offset : (n,), optional
            The mean of the rows that D² compares with has none.
        """
        eta = np.asarray(self._predictor(X, offset), dtype=np.float64)
        if self.loss_ == "squared":
            return float(r2_score(y, eta, sample_weight=sample_weight))
        loss = find_loss(self.loss_)
        target = prepare(loss, y, sample_weight)
        seen, weight = np.reshape(target.y, -1), target.sample_weight
        mean = loss.link(np.average(seen, weights=weight))
        left, most = (float(np.average(loss.value(seen, at), weights=weight)) for at in (eta, mean))
        return 1.0 - left / most if most > 0 else float(left == 0)

    @property
    def _wide(self) -> bool:
        """Whether y may have more than one column."""
        return self.loss in ("squared", "binomial")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = self.loss == "squared"
        tags.target_tags.positive_only = str(self.loss).partition(":")[0] in POSITIVE
        return tags
