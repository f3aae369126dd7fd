"""Targets of any kind: what becomes of good ones, and one plain sentence for every bad one."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import eigenshrink as es
from eigenshrink.models import LOSSES, find_loss, prepare

NUMBERS = [name for name in LOSSES if not find_loss(name).classes and name != "squared"]
TEXTS = getattr(np.dtypes, "StringDType", lambda: object)()
every_number_loss = pytest.mark.parametrize("name", NUMBERS)


def target(name, y, sample_weight=None, classes=None):
    return prepare(find_loss(name), y, sample_weight, classes)


# --- classes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (["no", "yes", "no"], ("no", "yes")),
        (np.array(["no", "yes", "no"], dtype=object), ("no", "yes")),
        (np.array(["no", "yes", "no"], dtype=TEXTS), ("no", "yes")),
        ([False, True, False], (False, True)),
        (np.array([False, True, False], dtype=object), (False, True)),
        ([-1, 1, -1], (-1, 1)),
        (np.array([3, 200, 3], dtype=np.uint8), (3, 200)),
        (np.array([1, 2.0, 1], dtype=object), (1.0, 2.0)),
        (np.array([0.25, 0.75, 0.25]), (0.25, 0.75)),
        (np.array([1, 2, 1], dtype=np.float32), (1.0, 2.0)),
        ([-(10**30), 10**30, -(10**30)], (-(10**30), 10**30)),
        (np.array([[0], [1], [0]]), (0, 1)),
        (pd.Series(["no", "yes", "no"]), ("no", "yes")),
        (pd.Series(["no", "yes", "no"], dtype="category"), ("no", "yes")),
        (pd.Series([0, 1, 0], dtype="category"), (0, 1)),
        (pd.Series([0, 1, 0], dtype="Int64"), (0, 1)),
        (pd.Series([False, True, False], dtype="boolean"), (False, True)),
        (pd.DataFrame({"bought": ["no", "yes", "no"]}), ("no", "yes")),
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", ["logistic", "multinomial"])
def test_labels_of_any_kind(name, y, classes):
    found = target(name, y)
    assert found.classes == classes
    assert [type(label) for label in found.classes] == [type(label) for label in classes]
    assert_array_equal(found.y, [0.0, 1.0, 0.0])
    assert found.y.dtype == np.float64
    assert found.sample_weight is None


@given(st.lists(st.sampled_from(["d", "a", "c", "b"]), min_size=2).filter(lambda y: len(set(y)) > 1))
def test_codes_give_the_labels_back(y):
    found = target("multinomial", y)
    assert found.classes == tuple(sorted(set(y)))
    assert [found.classes[int(code)] for code in found.y] == y
    again = target("multinomial", y[:1], classes=found.classes)
    assert_array_equal(again.y, found.y[:1])
    assert again.classes == found.classes


def test_rows_without_weight_have_no_say_in_the_classes():
    found = target("logistic", ["a", "b", "c", "c", "b"], [0.0, 1.0, 2.0, 1.0, 3.0])
    assert found.classes == ("b", "c")
    assert_array_equal(found.y[1:], [0, 1, 1, 0])
    assert found.y[0] in (0.0, 1.0)
    assert_array_equal(found.sample_weight, [0.0, 1.0, 2.0, 1.0, 3.0])
    assert target("logistic", ["z", "b"], [0, 1], classes=("a", "b")).y[1] == 1.0


def test_classes_that_are_given_decide_and_their_order_too():
    found = target("multinomial", [2, 2, 0], classes=(np.int64(0), np.int64(1), np.int64(2)))
    assert_array_equal(found.y, [2, 2, 0])
    assert_array_equal(target("logistic", ["a", "b"], classes=("b", "a")).y, [1, 0])
    assert_array_equal(target("logistic", ["a", "a"], classes=("a", "b")).y, [0, 0])


BAD_LABELS = [
    (["a", "b", None], r"y\[2\] is missing: every row needs a class"),
    ([0.0, np.nan, 1.0], r"y\[1\] is missing"),
    (np.array(["a", "b", np.nan], dtype=object), r"y\[2\] is missing"),
    (pd.Series(["a", None, "b"], dtype="category"), r"y\[1\] is missing"),
    (pd.Series([0, 1, None], dtype="Int64"), r"y\[2\] is missing"),
    (pd.Series([pd.NaT, "a", "b"], dtype=object), r"y\[0\] is missing"),
    ([0.0, 1.0, np.inf], r"y\[2\] is infinity"),
    (np.array([0.0, 1.0, np.inf], dtype=object), r"y\[2\] is infinity"),
    (
        np.array(["a", 1, "b"], dtype=object),
        r"Unknown label type: y\[1\] is 1, a number, but y\[0\] is 'a', a text",
    ),
    (
        np.array([1, True, 2], dtype=object),
        r"Unknown label type: y\[1\] is True, a truth value, but y\[0\] is 1",
    ),
    (
        np.array([SimpleNamespace(), 1, 2], dtype=object),
        "Unknown label type: .*an object of type SimpleNamespace",
    ),
    (np.array([0, 1, 1j]), "Unknown label type: y holds complex128"),
    (np.array([b"a", b"b"]), r"Unknown label type: .*y.astype\(str\)"),
    (np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[D]"), "Unknown label type: y holds datetime64"),
    ([0.0, 1.5, 2.0], r"Unknown label type: continuous: y\[1\] is 1.5 .*loss='squared'"),
    (np.array([0, 1.5, Fraction(5, 2)], dtype=object).astype(float), "Unknown label type: continuous"),
    (["a", "a", "a"], "y contains one class only, 'a': at least 2 classes"),
    ([7.0], "y contains one class only, 7.0"),
    (np.ma.masked_array([0, 1, 2], [0, 1, 0]), "y has masked values"),
    ([[0, 1], [1, 0], [1, 1]], r"y has shape \(3, 2\); one label per row is needed"),
    (np.zeros((2, 1, 3)), r"y has shape \(2, 1, 3\)"),
    ([["a"], ["b", "c"]], "y is not a rectangular array"),
    ([], r"y has shape \(0,\)"),
    (None, r"y has shape \(\)"),
    (scipy.sparse.csr_array([[0, 1]]), "y is sparse"),
]


@pytest.mark.parametrize(("y", "sentence"), BAD_LABELS, ids=[sentence for _, sentence in BAD_LABELS])
@pytest.mark.parametrize("name", ["logistic", "multinomial"])
def test_bad_labels_give_one_sentence(name, y, sentence):
    with pytest.raises(es.InputError, match=sentence) as error:
        target(name, y)
    assert "\n" not in str(error.value)


def test_one_class_among_the_rows_with_weight():
    with pytest.raises(es.InputError, match="one class only among the rows with weight, 'b'"):
        target("multinomial", ["a", "b", "b"], [0.0, 1.0, 1.0])


def test_three_classes_are_not_logistic():
    with pytest.raises(es.InputError, match=r"y has 3 classes, 'a', 'b', 'c'; .*use loss='multinomial'"):
        target("logistic", ["a", "b", "c"])
    with pytest.raises(es.InputError, match="y has 9 classes, 0, 1, 2, 3, 4 and 4 more;"):
        target("logistic", np.arange(9))


@pytest.mark.parametrize(
    ("y", "classes", "sentence"),
    [
        (
            ["a", "d"],
            ("a", "b"),
            r"y\[1\] is 'd', a class that the fitted data do not have: they have 'a', 'b'",
        ),
        ([0, 3, 1], (0, 1), r"y\[1\] is 3, a class"),
        ([0.0, 0.5], (0, 1), r"y\[1\] is 0.5, a class"),
        (["0", "1"], (0, 1), r"y\[0\] is '0', a class"),
        ([10**30, 1], (0, 1), r"y\[0\] is 1000000000000000000000000000000, a class"),
    ],
)
def test_an_unseen_class_is_named(y, classes, sentence):
    with pytest.raises(es.InputError, match=sentence):
        target("multinomial", y, classes=classes)


# --- numbers ------------------------------------------------------------------------------------------


def test_squared_targets_are_left_to_the_table():
    y = pd.DataFrame({"a": [1.0, np.nan], "b": [2.0, 3.0]})
    found = target("squared", y, "anything")
    assert found.y is y
    assert found.sample_weight == "anything"
    assert found.classes == ()


GOOD = {"binomial": [0.2, 1, 0], "huber": [-1, 0, 4]}


@every_number_loss
def test_numbers_keep_their_shape(name):
    y, s = np.array(GOOD.get(name, [1, 2, 4]), dtype=np.float32), [1.0, 2.0, 0.5]
    for given_y in (y, y[:, None], pd.Series(y), y.tolist()):
        found = target(name, given_y, s)
        assert found.y.shape == np.shape(given_y)
        assert found.y.dtype == np.float64
        assert_array_equal(found.y.reshape(-1), y)
        assert found.sample_weight is s
        assert found.classes == ()


@every_number_loss
def test_numbers_that_are_not_finite_are_passed_on(name):
    y = np.array([np.nan, *GOOD.get(name, [1, 2, 4])])
    assert_array_equal(target(name, y).y, y)


@every_number_loss
def test_one_target_of_numbers(name):
    for bad in (np.full((4, 3), 0.5), np.full((2, 1, 1), 0.5), [], None, 0.5):
        with pytest.raises(es.InputError):
            target(name, bad)
    with pytest.raises(
        es.InputError, match=r"y has shape \(4, 3\); loss='.*' takes one target, \(n,\) or \(n, 1\)"
    ):
        target(name, np.full((4, 3), 0.5))
    with pytest.raises(es.InputError, match=r"y\[1\] is 'many', not a number"):
        target(name, ["1", "many"])


BAD_NUMBERS = [
    ("poisson", [1, 0, 2, -1], r"^y\[3\] is -1; Poisson needs counts >= 0$"),
    ("poisson", [0, 0, 0], "y is 0 in every row: the mean would be 0"),
    ("tweedie", [1.5, -0.25], r"y\[1\] is -0.25; Tweedie needs amounts >= 0"),
    ("tweedie", [[0.0], [0.0]], "y is 0 in every row"),
    ("gamma", [1.0, 0.0], r"y\[1\] is 0; gamma needs y > 0.*loss='tweedie'"),
    ("gamma", [[1.0], [-2.0]], r"y\[1\] is -2; gamma needs y > 0"),
    ("inverse_gaussian", [-np.inf, 0.0], r"y\[0\] is -inf; inverse Gaussian needs y > 0"),
    ("binomial", [0.5, 1.2], r"y\[1\] is 1.2; binomial needs the fraction of successes, from 0 to 1"),
    ("binomial", [-0.1, 0.2], r"y\[0\] is -0.1; binomial"),
    ("binomial", [0, 0, 0], "y contains one class only: every trial is a failure"),
    ("binomial", [1.0, 1.0], "y contains one class only: every trial is a success"),
    ("binomial", [[3, 0], [1, 0]], "y contains one class only: every trial is a success"),
    ("binomial", [[3, 0], [0, 0]], r"y\[1\] has 0 successes and 0 failures"),
    ("binomial", [[3, 0], [1.5, 1]], r"y\[1, 0\] is 1.5; two columns are successes and failures, whole"),
    ("binomial", [[3, -1], [1, 1]], r"y\[0, 1\] is -1; two columns"),
    ("binomial", [[3, 1], [1, np.nan]], r"y\[1, 1\] is nan; two columns"),
    ("binomial", [[3, 1], [1, np.inf]], r"y\[1, 1\] is inf; two columns"),
    ("binomial", [[1, 2, 3], [1, 2, 3]], "or successes and failures in"),
]


@pytest.mark.parametrize(("name", "y", "sentence"), BAD_NUMBERS)
def test_bad_numbers_give_one_sentence(name, y, sentence):
    with pytest.raises(es.InputError, match=sentence) as error:
        target(name, y)
    assert "\n" not in str(error.value)


def test_rows_without_weight_may_hold_what_cannot_be():
    assert_array_equal(target("poisson", [-1.0, 2.0], [0, 1]).y, [-1.0, 2.0])
    with pytest.raises(es.InputError, match="y is 0 in every row"):
        target("poisson", [5.0, 0.0], [0, 1])
    with pytest.raises(es.InputError, match="every trial is a failure"):
        target("binomial", [1.0, 0.0], [0, 1])
    with pytest.raises(es.InputError, match=r"y\[2\] is -3"):
        target("tweedie", [-1.0, 2.0, -3.0], [0, 1, 1])


def test_successes_and_failures_become_fractions_and_trials():
    counts = [[3, 1], [0, 2], [0, 0]]
    found = target("binomial", counts, [1.0, 0.5, 0.0])
    assert_array_equal(found.y, [0.75, 0.0, 0.0])
    assert_array_equal(found.sample_weight, [4.0, 1.0, 0.0])
    assert_array_equal(target("binomial", counts[:2]).sample_weight, [4.0, 2.0])
    assert_array_equal(target("binomial", pd.DataFrame(counts[:2]), 2.0).sample_weight, [8.0, 4.0])


@pytest.mark.parametrize("name", ["logistic", "multinomial", "poisson", "binomial"])
def test_bad_weights_are_said_as_everywhere(name):
    for weight, sentence in (
        ([1.0], r"sample_weight has shape \(1,\)"),
        ([1, -1], r"sample_weight\[1\] is -1"),
        ([0, 0], "sample_weight is zero for every row"),
        (["x", "y"], "not a number"),
    ):
        with pytest.raises(es.InputError, match=sentence):
            target(name, [0, 1], weight)
