"""Findings name rows by the numbers that people know them by, and write numbers as people do."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

import eigenshrink as es
from eigenshrink.audit import Finding
from oracles import make


def extreme(study: es.Study) -> Finding:
    (found,) = [finding for finding in study.audit if finding.check == "extreme rows"]
    return found


def data() -> tuple[np.ndarray, np.ndarray]:
    """Sixty rows; the one at place 41 is far off."""
    problem = make(4, 60, 3)
    y = problem.y.copy()
    y[41] += 100.0
    return problem.X, y


def test_rows_are_counted_from_0_as_they_were_given():
    found = extreme(es.study(*data()))
    assert found.meaning.startswith("Row 41: ")
    assert "(rows are counted from 0)" in found.meaning


def test_rows_that_were_left_out_are_counted_too():
    X, y = data()
    weight = np.ones(60)
    weight[:10] = 0.0
    assert extreme(es.study(X, y, sample_weight=weight)).meaning.startswith("Row 41: ")


@pytest.mark.parametrize("groups", [None, np.arange(60) // 3])
def test_rows_that_were_held_out_are_counted_too(groups):
    X, y = data()
    weight = np.ones(60)
    weight[[0, 3]] = 0.0
    named = 0
    for seed in range(4):
        study = es.study(X, y, sample_weight=weight, groups=groups, validation=0.3, random_state=seed)
        table = study.path.fit.training.table
        np.testing.assert_array_equal(table.X, X[table.places])
        np.testing.assert_array_equal(table.y[:, 0], y[table.places])
        if 41 in table.places:
            named += 1
            assert extreme(study).meaning.startswith("Row 41: ")
    assert named


def test_rows_are_called_as_the_file_calls_them():
    study = dataclasses.replace(es.study(*data()), row_numbers=np.arange(60) * 2 + 1)
    assert extreme(study).meaning.startswith("Row 83: ")
    assert "(rows are counted from 1)" in extreme(study).meaning


def test_numbers_are_written_for_people():
    rng = np.random.default_rng(3)
    x = rng.normal(size=60)
    X = np.column_stack([x, x + 1e-4 * rng.normal(size=60), 1e6 * rng.normal(size=60)])
    study = es.study(X, 1e5 * x + 1e6 * rng.normal(size=60), alpha=1e-8)
    told = [f"{found.meaning} {found.advice}" for found in study.audit if found.verdict != "pass"]
    assert any("condition index" in text for text in told)
    assert not any(re.search(r"\de[+-]\d", text) for text in told)
