"""The benchmarks run, compare answers before times, and make one table; no test looks at a clock."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks import glm
from benchmarks.machine import describe, warnings
from benchmarks.measure import Turns, difference, extra_peak, ratio, take_turns
from benchmarks.problems import regression, strengths
from benchmarks.quiet import QUIET, share_of_others, wait_until_quiet
from benchmarks.records import Measured, Plan, Result, Shape
from benchmarks.run import ROWS, main
from benchmarks.squared import difference_everywhere, per_target
from benchmarks.table import COLUMNS, as_json, markdown

ONCE = Plan(rounds=1, pause=0.0, patience=0.0)
MIB = 2**20


@functools.cache
def small(name: str) -> Result:
    return ROWS[name].measure(ONCE, ROWS[name].smoke)


@pytest.mark.parametrize("name", sorted(set(ROWS) - {"demo"}))  # the demo has one size; test_cli.py runs it
def test_every_row_runs_small_and_its_answers_agree_with_the_peer(name):
    result = small(name)
    assert result.numbers
    assert all(np.isfinite(number.value) and number.value >= 0 for number in result.numbers)
    answers = [number for number in result.numbers if "difference" in number.what or "another" in number.what]
    assert [number.what for number in answers if not number.met] == []
    assert all(len(seconds) >= 1 for seconds in result.seconds.values())


@pytest.mark.parametrize("name", ["tall-loo", "wide"])
def test_leave_one_out_is_held_against_ridge_cv(name):
    equal = next(
        number for number in small(name).numbers if number.what.startswith("LOO, relative difference")
    )
    assert equal.bar == 1e-9
    assert equal.value <= 1e-9


@pytest.mark.parametrize("name", sorted(set(glm.ROWS) - {"logistic-memory"}))
def test_what_was_reached_stands_beside_the_ratio(name):
    numbers = {number.what: number for number in small(name).numbers}
    assert any(" / study" in what for what in numbers)
    for what in ("study, largest certificate", "study, relative error"):
        assert numbers[what].bar == glm.ACCURACY
        assert numbers[what].met
    certificate, error = numbers["study, largest certificate"], numbers["study, relative error"]
    assert error.value <= certificate.value
    peers = [number.value for what, number in numbers.items() if what.endswith("relative error")]
    assert min(value for value in peers if value != error.value) < 0.01  # the same problem: units and folds


def test_the_logistic_rows_have_their_bars():
    for name, bar in {"logistic": 5.0, "logistic-path": 8.0}.items():
        bars = [number.bar for number in small(name).numbers if number.what.endswith(" / study")]
        assert bars[0] == bar


def test_only_settings_that_are_as_accurate_count():
    quick, rough, slow = (
        glm.Peer(name, work=list, error=error, seconds=seconds)
        for name, error, seconds in [("quick", 0.3, 1.0), ("rough", 0.9, 0.5), ("slow", 1e-4, 5.0)]
    )
    assert glm.fastest([quick, rough, slow]) is slow
    assert glm.fastest([quick, rough]) is rough
    exact = np.array([[3.0, 4.0], [0.0, 2.0]])
    assert glm.furthest(exact + np.array([[0.0, 0.5], [0.0, 0.0]]), exact) == pytest.approx(0.1)


def test_a_solution_to_compare_with_is_proved(monkeypatch):
    X, y, alphas = glm.problem(Shape(80, 3, 4), 0, "logistic")
    assert glm.tight(X, y, alphas, "logistic").shape == (4, 3)
    monkeypatch.setattr(glm, "TIGHT", 1e-40)
    with pytest.raises(RuntimeError, match="proved to"):
        glm.tight(X, y, alphas, "logistic")


def test_a_wrong_answer_would_be_seen():
    curve = np.array([1.0, 2.0, 4.0])
    assert difference_everywhere(curve * [1, 1 + 1e-8, 1], curve) == pytest.approx(1e-8, rel=1e-6)
    assert difference([1.0, 2.0], [1.0, 4.0]) == 0.5
    assert not Measured("LOO", 1e-8, "<=", 1e-9).met


def test_every_target_gets_the_strength_of_its_lowest_point():
    X, Y = regression(Shape(60, 8, 6, 5), seed=0)
    alphas = strengths(X, 6)
    picked, coef, loo = per_target(X, Y, alphas, "gcv", then_loo=True)
    assert set(picked) <= set(alphas)
    assert coef.shape == (5, 8)
    assert loo.shape == (5,)


def test_the_extra_peak_counts_what_is_neither_given_nor_returned():
    given = np.ones(2 * MIB // 8)

    def work():
        passing = np.full(3 * MIB // 8, given[0])
        return [np.full(MIB // 8, passing[0])]

    assert extra_peak(work) == pytest.approx(3 * MIB, abs=MIB / 4)


def test_the_extra_peak_counts_what_objects_keep():
    kept = []

    def work():
        kept[:] = [np.ones(2 * MIB // 8)]
        return []

    assert extra_peak(work) == pytest.approx(2 * MIB, abs=MIB / 4)


def test_contenders_take_turns():
    order = []
    contenders = {name: lambda name=name: order.append(name) for name in "abc"}
    turns = take_turns(contenders, ONCE, rounds=3)
    assert "".join(order) == "abcbcacab"
    assert {name: len(seconds) for name, seconds in turns.seconds.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_ratio_is_the_median_of_rounds():
    turns = Turns({"us": [1.0, 2.0, 30.0], "peer": [2.0, 8.0, 60.0]}, others=None)
    number = ratio(turns, "peer", "us", ">=", 2.0)
    assert (number.value, number.met, number.best) == (2.0, True, 2.0)
    assert number.quartiles == (2.0, 3.0)
    assert ratio(turns, "us", "peer", "<=", 0.4).met is False
    assert ratio(turns, "us", "peer").met is None


def test_the_table_has_one_line_per_number():
    bars = (Measured("a / b", 2.0, "<=", 1.0, (1.5, 2.5), 1.9), Measured("told", 3.0))
    results = [Result("row", "work", bars, {"a": [1.0, 3.0]}, others=0.2)]
    machine = describe()
    lines = markdown(results, machine, 5).splitlines()
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    assert tuple(table[0]) == COLUMNS
    assert [cell.strip() for cell in table[2]] == ["row", "a / b", "2", "1.5 to 2.5", "1.9", "<= 1", "**no**"]
    assert len(table) == 2 + len(bars)
    assert any("a 2 s (others used 20% of the cores before the runs)" in line for line in lines)
    record = json.loads(json.dumps(as_json(results, machine, 5), allow_nan=False))
    assert record["rows"][0]["numbers"][0]["met"] is False
    assert record["rows"][0]["seconds"] == {"a": [1.0, 3.0]}


def test_the_machine_is_named_and_no_place_on_it():
    machine = describe()
    assert machine["cores"] >= 1
    assert set(machine["versions"]) == {"eigenshrink", "numpy", "scipy", "scikit-learn"}
    assert all("threads" in pool and "/" not in pool for pool in machine["blas"])
    assert str(Path(__file__).resolve().parents[1]) not in json.dumps(machine)


def test_variables_that_slow_a_blas_are_told(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert any("OPENBLAS_CORETYPE" in text for text in warnings({**describe(), "load": 0.0}))
    monkeypatch.delenv("OPENBLAS_CORETYPE")
    monkeypatch.delenv("OPENBLAS_L2_SIZE", raising=False)
    assert warnings({**describe(), "load": 0.0}) == []
    assert "busy" in warnings({**describe(), "load": 9.0, "cores": 2})[0]


def test_waiting_for_a_quiet_machine_ends(monkeypatch):
    shares = iter([0.9, 0.5, QUIET / 2, 0.9])
    monkeypatch.setattr("benchmarks.quiet.share_of_others", lambda seconds: next(shares))
    assert wait_until_quiet(0.001, patience=60.0) == QUIET / 2
    assert wait_until_quiet(0.001, patience=0.0) == 0.9
    assert np.isnan(wait_until_quiet(0.0, patience=0.0))


def test_others_use_a_share_of_the_cores():
    share = share_of_others(0.02)
    assert np.isnan(share) or share >= 0.0


def test_the_command_writes_table_and_numbers(tmp_path, capsys):
    arguments = ["--smoke", "--rows", "tall", "--rounds", "1", "--pause", "0", "--threads", "1"]
    assert main([*arguments, "--output", str(tmp_path / "bench")]) == 0
    text = (tmp_path / "bench" / "squared.md").read_text(encoding="utf-8")
    assert "| tall | study / limit |" in text
    assert text in capsys.readouterr().out
    record = json.loads((tmp_path / "bench" / "squared.json").read_text(encoding="utf-8"))
    assert len(record["rows"][0]["seconds"]["limit"]) == 4
    assert any("1 threads" in pool for pool in record["machine"]["blas"])
