"""What both estimators share: parameters, the study behind them, the linear predictor, what is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from eigenshrink.chain import study
from eigenshrink.data.checks import check_offset
from eigenshrink.data.memory import predict
from eigenshrink.record import Study

Values = NDArray[np.floating]
DTYPES = (np.float64, np.float32)


class L2Estimator(BaseEstimator):
    """A linear predictor whose strength of L2 regularisation is chosen from one fit.

    Parameters
    ----------
    loss, alpha, criterion, select, folds, fit_intercept, standardize, penalty_factor, weight_kind, tol, \
random_state
        As the estimators describe them.
    """

    def __init__(
        self,
        *,
        loss: str,
        alpha: ArrayLike | str,
        criterion: str,
        select: str,
        folds: int,
        fit_intercept: bool,
        standardize: bool,
        penalty_factor: ArrayLike | None,
        weight_kind: str,
        tol: float,
        random_state: Any,
    ) -> None:
        self.loss = loss
        self.alpha = alpha
        self.criterion = criterion
        self.select = select
        self.folds = folds
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.weight_kind = weight_kind
        self.tol = tol
        self.random_state = random_state

    def _made(self, X: Any, y: Any, names: tuple[str, ...], weight_kind: str, **asked: Any) -> Study:
        """The study of checked data; ``names`` are those of the targets."""
        result = study(
            X,
            y,
            weight_kind=weight_kind,
            penalty_factor=self.penalty_factor,
            fit_intercept=self.fit_intercept,
            standardize=self.standardize,
            alpha=self.alpha,
            criterion=self.criterion,
            select=self.select,
            folds=self.folds,
            tol=self.tol,
            random_state=self.random_state,
            feature_names=getattr(self, "feature_names_in_", None),
            **asked,
        )
        if names and len(names) == len(result.target_names):
            result = replace(result, target_names=names)
        return result

    def _keep(self, result: Study, coef: Values, intercept: Any, level: Any) -> None:
        """What predictions need, without rows; ``level`` is predicted at the means of the columns."""
        self.coef_ = coef
        self.intercept_ = intercept
        self.alpha_ = result.alpha
        self.effective_parameters_ = result.effective_parameters
        self.loss_ = result.loss
        self._column_mean = result.path.sample.column_mean
        self._level = level
        self.study_ = result

    def _predictor(self, X: Any, offset: ArrayLike | None) -> Values:
        """``η = Xw + b + offset``, shaped by ``coef_``."""
        check_is_fitted(self, "coef_")
        X = validate_data(self, X, accept_sparse="csr", dtype=list(DTYPES), reset=False)
        eta = predict(X, self.coef_, self._column_mean, self._level)
        extra = check_offset(offset, len(eta))
        if extra is None:
            return eta
        return np.asarray(eta + extra.reshape(-1, *[1] * (eta.ndim - 1)), dtype=eta.dtype)

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
        return tags
