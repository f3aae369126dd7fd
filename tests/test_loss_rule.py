"""The rule that chooses a loss from a target: stated cases, real columns, and each condition by itself."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest
import sklearn.datasets
import statsmodels.api as sm

from eigenshrink.data.loss_rule import look_like_counts, suggest_loss
from eigenshrink.errors import InputError


def suggested(values, **options) -> str:
    return suggest_loss(pl.Series("y", values), **options).loss


def drawn(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


class TestTwoValues:
    @pytest.mark.parametrize(
        "values",
        [
            ["yes", "no", "no", "no"],
            [True, False, True],
            [0, 1, 1, 0],
            [1, 2, 2, 1],
            [0.5, -3.0, 0.5, 0.5],
            ["yes", None, "no"],
            [0.0, 1.0, None, float("nan"), 1.0, 0.0],
            pl.Series(["a", "b", "a"], dtype=pl.Categorical),
        ],
    )
    def test_two_values_are_two_classes(self, values):
        assert suggested(values) == "logistic"

    @pytest.mark.parametrize("values", [[0.3, -1.2], [1, 2], [1, 2, 2], [3.0] * 20, [0, 1, 2]])
    def test_a_few_numbers_are_numbers(self, values):
        assert suggested(values) == "squared"

    def test_the_reason_is_said(self):
        assert suggest_loss(pl.Series("y", ["a", "b"])).reason == "it has two different values"


class TestTexts:
    @pytest.mark.parametrize("count", [3, 20])
    def test_few_texts_are_classes(self, count):
        assert suggested([f"kind {i}" for i in range(count)] * 2) == "multinomial"

    def test_names_that_look_like_numbers_are_texts_where_that_is_said(self):
        digits = [0, 1, 2, 3, 4] * 10
        assert suggested(digits) == "squared"
        assert suggested(digits, forced=True) == "multinomial"
        assert suggested(["007", "7"], forced=True) == "logistic"

    @pytest.mark.parametrize(
        "values",
        [[f"kind {i}" for i in range(21)] * 9, ["a", "b", "c", "d", "e"], [f"name {i}" for i in range(99)]],
    )
    def test_many_texts_are_nothing(self, values):
        with pytest.raises(InputError, match=r'target "y" has \d+ different texts .* --loss multinomial'):
            suggested(values)

    def test_one_text_is_nothing(self):
        with pytest.raises(InputError, match='target "y" has one value, "a"'):
            suggested(["a", "a", None])

    def test_numbers_with_mistakes_are_left_to_the_reader(self):
        assert suggested([*map(str, range(9)), "n/a"]) == "squared"
        assert suggested(["1", "1", "0", "n/a"]) == "squared"


class TestOtherKinds:
    @pytest.mark.parametrize(
        "values",
        [
            [None, None],
            [float("nan")] * 3,
            [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)] * 5,
            [[1], [2]] * 4,
            [float("inf"), 1.0, 1.0, float("inf")],
            [],
        ],
    )
    def test_what_cannot_be_a_target_is_left_to_the_reader(self, values):
        assert suggested(values) == "squared"

    def test_decimals_and_small_integers(self):
        counts = drawn().poisson(2.0, 500)
        assert suggested(pl.Series(counts, dtype=pl.UInt8)) == "poisson"
        assert suggested(pl.Series(counts).cast(pl.Decimal(10, 2))) == "poisson"
        assert suggested(counts + 0.5) == "squared"


def statsmodels_columns() -> dict[str, list[str]]:
    return {
        "poisson": ["randhie.mdvis", "cancer.cancer", "cpunish.EXECUTIONS", "committee.SUBS"],
        "logistic": ["spector.GRADE", "anes96.vote", "modechoice.choice"],
        "squared": [
            *("longley.TOTEMP", "longley.YEAR", "longley.UNEMP", "cancer.population", "anes96.age"),
            *("anes96.educ", "anes96.income", "anes96.PID", "anes96.TVnews", "fair.rate_marriage"),
            *("fair.occupation", "fair.age", "modechoice.mode", "modechoice.ttme", "modechoice.invc"),
            *("nile.volume", "elnino.YEAR", "ccard.AGE", "spector.TUCE", "stackloss.STACKLOSS"),
            *("scotland.YES", "interest_inflation.quarter", "star98.NABOVE", "heart.survival"),
        ],
    }


class TestRealColumns:
    @pytest.mark.parametrize(
        ("loss", "place"),
        [(loss, place) for loss, places in statsmodels_columns().items() for place in places],
    )
    def test_columns_of_statsmodels(self, loss, place):
        name, column = place.split(".")
        data = getattr(sm.datasets, name).load_pandas().data
        assert suggested(data[column].to_numpy()) == loss

    @pytest.mark.parametrize(
        ("load", "loss"),
        [("load_diabetes", "squared"), ("load_breast_cancer", "logistic"), ("load_linnerud", "squared")],
    )
    def test_targets_of_scikit_learn(self, load, loss):
        target = np.asarray(getattr(sklearn.datasets, load)().target, dtype=float).reshape(-1, 1)[:, 0]
        assert suggested(target) == loss

    def test_names_of_classes(self):
        iris, digits = sklearn.datasets.load_iris(), sklearn.datasets.load_digits()
        assert suggested(iris.target_names[iris.target].astype(object)) == "multinomial"
        assert suggested([str(value) for value in digits.target], forced=True) == "multinomial"
        assert suggested(digits.target) == "squared"  # nothing tells codes from scores


def share(draw, times: int = 60) -> float:
    """Share of samples that look like counts."""
    return float(np.mean([look_like_counts(np.asarray(draw(drawn(i)), dtype=float)) for i in range(times)]))


class TestCounts:
    @pytest.mark.parametrize("mean", [0.5, 1.0, 3.0, 6.0])
    def test_poisson_counts(self, mean):
        assert share(lambda rng: rng.poisson(mean, 2000)) > 0.9

    def test_overdispersed_counts(self):
        assert share(lambda rng: rng.poisson(np.exp(3 + rng.normal(size=2000)))) > 0.95
        assert share(lambda rng: rng.negative_binomial(1, 0.1, 2000)) > 0.95
        assert share(lambda rng: rng.geometric(0.1, 2000)) > 0.95  # from 1 on

    @pytest.mark.parametrize(
        "draw",
        [
            lambda rng: rng.choice(5, 400, p=[0.05, 0.1, 0.2, 0.4, 0.25]) + 1,  # ratings, mostly good
            lambda rng: rng.choice(5, 400, p=[0.4, 0.3, 0.15, 0.1, 0.05]) + 1,  # mostly bad
            lambda rng: 1 + rng.binomial(9, 0.6, 400),
            lambda rng: np.clip(np.rint(6 + 2.5 * rng.normal(size=400)), 0, 10),  # 0 to 10
            lambda rng: np.clip(np.rint(10.4 + 4 * rng.normal(size=400)), 0, 20),  # scores
            lambda rng: np.clip(np.rint(60 + 20 * rng.normal(size=400)), 0, 100),
            lambda rng: np.clip(np.rint(30 + 14 * rng.normal(size=400)), 0, 80),  # ages
            lambda rng: np.rint(85 * rng.beta(1.2, 1.4, 400)),
            lambda rng: np.clip(np.rint(12.5 + 3 * rng.normal(size=400)), 0, 20),  # years of education
            lambda rng: np.clip(np.rint(40 + 12 * rng.normal(size=400)), 1, 99),  # hours of work
            lambda rng: rng.integers(1950, 2021, 400),
            lambda rng: rng.integers(0, 10, 400),  # codes
            lambda rng: rng.permutation(400) + 1,  # numbers of rows
            lambda rng: np.rint(np.exp(5.3 + 0.7 * rng.normal(size=400))),  # prices
            lambda rng: np.minimum(rng.poisson(4.0, 400), 4),  # "4 and more"
        ],
    )
    def test_what_is_no_count(self, draw):
        assert share(draw) <= 0.05

    @pytest.mark.parametrize(
        ("change", "kept"),
        [
            (lambda y: y, True),
            (lambda y: 3 * y, True),
            (lambda y: 3 * y + 2, False),  # the smallest is 2
            (lambda y: y - 1, False),  # negative
            (lambda y: y * 1.5, False),  # not whole
            (lambda y: y.max() - y, False),  # skewed to the left
            (lambda y: np.minimum(y, 3), False),  # ends in a crowd
            (lambda y: np.minimum(y, 2), False),  # three values
            (lambda y: y[np.unique(y, return_index=True)[1]], False),  # each once
            (lambda y: np.where(y == 0, 1, y), False),  # spread too little: 0.55 of the mean
            (lambda y: np.repeat(0.0, 9), False),
        ],
    )
    def test_each_condition_counts(self, change, kept):
        counts = drawn(1).poisson(1.2, 1000).astype(float)
        assert look_like_counts(change(counts)) is kept

    def test_the_order_of_rows_does_not_count(self):
        counts = drawn(2).poisson(2.0, 300).astype(float)
        assert look_like_counts(counts)
        assert look_like_counts(np.sort(counts))
