"""The scikit-learn facade: fit, then read ``coef_``, ``alpha_`` and the whole ``study_``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from eigenshrink.chain import study
from eigenshrink.data.checks import column_names
from eigenshrink.data.memory import predict


class L2Regressor(RegressorMixin, BaseEstimator):
    """Ridge regression that chooses its strength from one fit, and can tell why (M5, M14).

    Minimises ``(1/S) Σ s_i ½(y_i − x_iᵀw − b)² + (α/2) Σ d_j w_j²``: the strength is that of scikit-learn's
    ``Ridge`` divided by S, the sum of the sample weights.

    Parameters
    ----------
    loss : {"squared"}
        What is minimised.
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
        A strength for each target.
    weight_kind : {"frequency", "precision"}
        In scikit-learn a weight of 2 means that the row occurs twice, hence "frequency", and the weights
        that choose alpha must be whole numbers. "precision": how exact a row is, the default of
        :func:`eigenshrink.study`. It makes no difference to the coefficients at a given alpha.
    tol : float
        Accepted for later losses; squared loss is solved directly.
    random_state : None, int or numpy generator
        Of the folds; None: the same draw each time.

    Attributes
    ----------
    coef_ : (p,) or (t, p)
    intercept_ : float or (t,)
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
        self.loss = loss
        self.alpha = alpha
        self.criterion = criterion
        self.select = select
        self.folds = folds
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.per_target = per_target
        self.weight_kind = weight_kind
        self.tol = tol
        self.random_state = random_state

    def fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> L2Regressor:
        """Fit every strength, choose one.

        Parameters
        ----------
        X : (n, p), dense or sparse
        y : (n,) or (n, t)
        sample_weight : (n,), optional
            See ``weight_kind``.
        groups : (n,) of labels, optional
            Rows that belong together and are left out together. Meta-estimators pass them on after
            ``set_fit_request(groups=True)``, where metadata routing is enabled.

        Raises
        ------
        InputError
            Naming the item that cannot be used.
        """
        names = column_names(y)
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            multi_output=True,
            y_numeric=True,
        )
        result = study(
            X,
            y,
            loss=self.loss,
            sample_weight=sample_weight,
            weight_kind=self._kind(sample_weight),
            groups=groups,
            penalty_factor=self.penalty_factor,
            fit_intercept=self.fit_intercept,
            standardize=self.standardize,
            alpha=self.alpha,
            criterion=self.criterion,
            select=self.select,
            folds=self.folds,
            per_target=self.per_target,
            tol=self.tol,
            random_state=self.random_state,
            feature_names=getattr(self, "feature_names_in_", None),
        )
        if names and len(names) == len(result.target_names):
            result = replace(result, target_names=names)
        self.coef_ = result.coef()
        self.intercept_ = result.intercept()
        self.alpha_ = result.alpha
        self.effective_parameters_ = result.effective_parameters
        mean = result.path.sample.target_mean
        self._column_mean = result.path.sample.column_mean
        self._target_mean = mean[0] if result.facts.one_target else mean
        self.study_ = result
        return self

    def predict(self, X: Any) -> NDArray[np.floating]:
        """Predict rows X ``(n, p)``: ``(n,)`` or ``(n, t)``."""
        check_is_fitted(self, "coef_")
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)
        return predict(X, self.coef_, self._column_mean, self._target_mean)

    def _kind(self, sample_weight: ArrayLike | None) -> str:
        """Frequency weights must be whole numbers only where they choose alpha."""
        chooses = isinstance(self.alpha, str)
        return self.weight_kind if chooses or sample_weight is None else "precision"

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "study_"}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.multi_output = True
        return tags
