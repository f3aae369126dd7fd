"""What people are told on their way through studies of classes: separation, calibration, agreement."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import eigenshrink as es
from eigenshrink.choice.agreement import CAUSES
from eigenshrink.data.targets import describe_classes
from eigenshrink.report.losses import proof

NAMES = ("tenure", "leak", "region")


def told_apart(kind=np.asarray, classes=2):
    """A column that says what the target says, beside one that does not and one that nearly does."""
    rng = np.random.default_rng(0)
    y = rng.integers(classes, size=150)
    leak = y + rng.uniform(0, 0.5, size=len(y))
    X = np.column_stack([rng.normal(size=len(y)), leak, y + 0.6 * rng.normal(size=len(y))])
    loss = "logistic" if classes == 2 else "multinomial"
    return es.study(kind(X), np.array(["a", "b", "c"])[y], loss=loss, feature_names=NAMES)


def found(study, check):
    """The finding of one check."""
    return next(each for each in study.audit if each.check == check)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_column_that_separates_alone_is_named(kind, classes):
    said = found(told_apart(kind, classes), "separation")
    assert "'leak' alone tells the classes apart" in said.meaning
    assert "tenure" not in said.meaning
    assert "region" not in said.meaning
    assert "known only later" in said.advice


def test_a_combination_blames_no_column():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 3))
    said = found(es.study(X, X[:, 0] + X[:, 1] > 0, loss="logistic"), "separation")
    assert said.meaning.startswith("A combination of columns")
    assert "made from the target" in said.advice


def test_no_slope_is_asked_of_predictions_that_separate():
    """It grew with every step of Newton's method, and a smaller alpha was advised where there is none."""
    said = found(told_apart(), "calibration")
    assert said.verdict == "pass"
    assert "timid" not in said.meaning


def test_equal_rows_are_not_denied():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(80, 2))
    y = X[:, 0] > 0
    said = found(es.study(X[np.r_[:80, [3] * 6]], y[np.r_[:80, [3] * 6]], loss="logistic"), "duplicate rows")
    assert said.verdict == "warn" or "6 rows have the X and y of another" in said.meaning


@pytest.fixture(scope="module")
def cancer():
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    return es.study(X, y, loss="logistic", standardize=True)


def test_the_start_of_a_path_is_no_optimum(cancer):
    """Cp has its minimum where the path has to begin: that is said, with its cause."""
    agreement = cancer.choice.agreement
    assert cancer.path.separation
    assert not agreement.inside["cp"]
    assert agreement.cause == "separation"
    assert CAUSES["separation"] in agreement.words
    assert "Cp takes the weakest there is" in agreement.words


def test_no_cause_speaks_of_what_a_loss_does_not_have():
    """There is no GCV of classes; what fails of leave-one-out fails of Cp."""
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(30), 8)
    X = rng.normal(size=(30, 12))[groups] + 0.3 * rng.normal(size=(240, 12))
    y = rng.random(240) < 1 / (1 + np.exp(-3 * rng.normal(size=30)[groups]))
    agreement = es.study(X, y, loss="logistic", groups=groups, criterion="loo").choice.agreement
    assert agreement.cause == "groups"
    assert "GCV" not in agreement.words
    assert "Cp too optimistic" in agreement.words


def test_a_proof_of_nothing_is_not_written_as_one(cancer):
    assert "10⁻⁸ kept" in proof(cancer)
    assert "are within" in proof(cancer)
    rng = np.random.default_rng(4)
    X = rng.normal(size=(90, 2))
    y = rng.random(90) < 1 / (1 + np.exp(-X[:, 0]))
    said = proof(es.study(X, y, loss="logistic", alpha=1e-30))
    assert "are within" not in said
    assert "nothing is proved" in said


def test_classes_that_differ_in_capitals_are_named():
    """``yes`` and ``Yes`` were four classes of a multinomial model without a word."""
    labels = np.array(["yes", "no", "Yes", "no"], dtype=object)
    said = describe_classes("churn", labels, ("Yes", "no", "yes"))
    assert '"Yes" and "yes" differ in capitals or blanks only' in said
    assert "only" not in describe_classes("churn", labels, ("no", "yes"))
