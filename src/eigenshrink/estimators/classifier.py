"""Classes: logistic regression for two of them, multinomial for more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import column_or_1d, validate_data

from eigenshrink.data.checks import check_weights, column_names
from eigenshrink.errors import InputError
from eigenshrink.estimators.base import DTYPES, L2Estimator, Values
from eigenshrink.models import Target, find_loss, prepare

LOSSES = ("auto", "logistic", "multinomial")


class L2Classifier(ClassifierMixin, L2Estimator):
    """Logistic regression that chooses its strength of L2 regularisation from one fit (M14, M17).

    Minimises ``−(1/S) Σ s_i log p(y_i | x_i) + (α/2) Σ d_j w_j²``: with S the sum of the weights,
    ``C = 1/(Sα)`` is the number of scikit-learn's ``LogisticRegression``.

    Parameters
    ----------
    loss : {"auto", "logistic", "multinomial"}
        "auto": logistic for two classes, multinomial (symmetric, weights for each class) for more.
    alpha : "auto" or float, in [0, inf]
        House units.
    criterion : {"auto", "loo", "leave_group_out", "kfold", "cp", "evidence"}
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
    weight_kind : {"frequency", "precision"}
        In scikit-learn a weight of 2 means that the row occurs twice, hence "frequency", and the weights
        that choose alpha must be whole numbers. Weights of classes are fractions, and with them all are
        taken as "precision".
    class_weight : None, "balanced" or mapping of class to number > 0
        Multiplies the weights of the rows, and so S. "balanced" gives each class the same total; classes
        that a mapping leaves out count once. Probabilities are then those of the reweighted rows.
    tol : float
        Accuracy of the path.
    random_state : None, int or numpy generator
        Of the folds; None: the same draw each time.

    Attributes
    ----------
    classes_ : (c,)
    coef_ : (1, p) or (c, p)
        One row for two classes: of the second against the first.
    intercept_ : (1,) or (c,)
    loss_ : str
        What was minimised.
    alpha_ : float
        Chosen strength, house units.
    effective_parameters_ : float
        γ at that strength (M9).
    study_ : Study
        Everything else. It holds the training rows, so it is left out when the estimator is pickled
        (``study_.save`` keeps it without rows).
    n_features_in_ : int
    feature_names_in_ : (p,) of str
        Where X has column names.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> X, y = load_wine(return_X_y=True)
    >>> model = L2Classifier(standardize=True).fit(X, y)
    >>> model.coef_.shape, round(model.score(X, y), 2)
    ((3, 13), 1.0)
    """

    def __init__(
        self,
        loss: str = "auto",
        alpha: ArrayLike | str = "auto",
        criterion: str = "auto",
        *,
        select: str = "best",
        folds: int = 5,
        fit_intercept: bool = True,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        weight_kind: str = "frequency",
        class_weight: Mapping[Any, float] | str | None = None,
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
        self.class_weight = class_weight

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> L2Classifier:
        """Fit every strength, choose one.

        Parameters
        ----------
        X : (n, p), dense or sparse
        y : (n,) of labels
        sample_weight : (n,), optional
            See ``weight_kind``. Classes none of whose rows has weight are not learnt.
        groups : (n,) of labels, optional
            Rows that belong together and are left out together. Meta-estimators pass them on after
            ``set_fit_request(groups=True)``, where metadata routing is enabled.
        offset : (n,), optional
            Added to the linear predictor of two classes.

        Raises
        ------
        InputError
            Naming the item that cannot be used.
        """
        names = column_names(y)
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=list(DTYPES))
        y, kind = column_or_1d(y, warn=True), self._kind(sample_weight)
        weight = check_weights(sample_weight, len(y), kind)
        target = prepare(find_loss("multinomial"), y, weight)
        loss = self._resolved(len(target.classes))
        _says_something(offset, loss)
        if self.class_weight is not None:
            weight, kind = _class_weights(self.class_weight, target, weight), "precision"
        result = self._made(
            X,
            y,
            names,
            kind,
            loss=loss,
            sample_weight=weight,
            groups=groups,
            offset=offset,
        )
        coef = np.atleast_2d(result.coef())
        level, intercept = np.atleast_1d(result.path.level(result.alpha)), np.atleast_1d(result.intercept())
        if len(coef) == 2:  # the same probabilities by one difference
            coef, level, intercept = (each[1:] - each[:1] for each in (coef, level, intercept))
        self._keep(result, coef, intercept, level)
        self.classes_ = np.unique(y if weight is None else y[weight > 0])
        return self

    def decision_function(self, X: Any, offset: ArrayLike | None = None) -> Values:
        """Linear predictor of rows X: ``(n,)`` for two classes, above 0 for the second, or ``(n, c)``.

        Parameters
        ----------
        X : (n, p), dense or sparse
        offset : (n,), optional
            Added to it, as in :meth:`fit`.
        """
        eta = self._linear(X, offset)
        return eta[:, 0] if eta.shape[1] == 1 else eta

    def predict(self, X: Any, offset: ArrayLike | None = None) -> NDArray[Any]:
        """Most probable class of rows X ``(n, p)``, ``(n,)``.

        Parameters
        ----------
        X : (n, p), dense or sparse
        offset : (n,), optional
            Added to the linear predictor, as in :meth:`fit`.
        """
        each = self._each(X, offset)
        return np.asarray(self.classes_[each.argmax(axis=1)])

    def predict_proba(self, X: Any, offset: ArrayLike | None = None) -> Values:
        """Probability of each class for rows X ``(n, p)``, ``(n, c)`` in the order of ``classes_``.

        Parameters
        ----------
        X : (n, p), dense or sparse
        offset : (n,), optional
            Added to the linear predictor, as in :meth:`fit`.
        """
        return np.asarray(softmax(self._each(X, offset), axis=1))

    def predict_log_proba(self, X: Any, offset: ArrayLike | None = None) -> Values:
        """Logarithm of :meth:`predict_proba`, with its digits where that is nearly 0, ``(n, c)``.

        Parameters
        ----------
        X : (n, p), dense or sparse
        offset : (n,), optional
            Added to the linear predictor, as in :meth:`fit`.
        """
        return np.asarray(log_softmax(self._each(X, offset), axis=1))

    def score(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> float:
        """Share of the rows whose class is predicted.

        Parameters
        ----------
        X : (n, p)
        y : (n,) of labels
        sample_weight : (n,), optional
        offset : (n,), optional
            Added to the linear predictor, as in :meth:`fit`.
        """
        return float(accuracy_score(y, self.predict(X, offset), sample_weight=sample_weight))

    def _each(self, X: Any, offset: ArrayLike | None) -> Values:
        """Linear predictor of every class, ``(n, c)``: of two classes the first has none."""
        eta = self._linear(X, offset)
        return np.concatenate([np.zeros_like(eta), eta], axis=1) if eta.shape[1] == 1 else eta

    def _linear(self, X: Any, offset: ArrayLike | None) -> Values:
        _says_something(offset, getattr(self, "loss_", ""))
        return self._predictor(X, offset)

    def _resolved(self, classes: int) -> str:
        if self.loss not in LOSSES:
            raise InputError(
                f"loss must be {', '.join(map(repr, LOSSES[:-1]))} or {LOSSES[-1]!r}; got {self.loss!r}"
            )
        if self.loss == "logistic" and classes > 2:
            raise InputError(
                f"loss='logistic' tells two classes apart; y has {classes}: use loss='multinomial'"
            )
        if self.loss == "auto":
            return "logistic" if classes == 2 else "multinomial"
        return self.loss


def _says_something(offset: ArrayLike | None, loss: str) -> None:
    if offset is not None and loss == "multinomial":
        raise InputError(
            "an offset means nothing to loss='multinomial': each class has a linear predictor, and what is "
            "added to all of them changes no probability; leave it out"
        )


def _class_weights(
    asked: Mapping[Any, float] | str,
    target: Target,
    weight: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Row weights times those of their classes, ``(n,)``."""
    codes, labels = target.y.astype(np.intp), list(target.classes)
    own = np.ones(len(codes)) if weight is None else weight
    if isinstance(asked, Mapping):
        unknown = [label for label in asked if label not in labels]
        if unknown and not set(labels) <= set(asked):
            raise InputError(f"class_weight names {unknown[0]!r}, which is not a class of y: {labels[:5]}")
        each = np.array([float(asked.get(label, 1.0)) for label in labels])
        bad = np.flatnonzero(~((each > 0) & np.isfinite(each)))
        if len(bad):
            raise InputError(
                f"class_weight[{labels[bad[0]]!r}] is {each[bad[0]]:g}; a number above 0 is needed: "
                "leave out the rows of classes that should not count"
            )
    elif isinstance(asked, str) and asked == "balanced":
        each = own.sum() / (len(labels) * np.bincount(codes, own))
    else:
        raise InputError(
            f"class_weight must be None, 'balanced' or a mapping of class to number; got {asked!r}"
        )
    return np.asarray(own * each[codes])
