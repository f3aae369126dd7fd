"""Free weights eliminated by products with H, regular and singular, by columns and by solves (M12, M19)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eigenshrink.errors import InputError, NotConverged
from eigenshrink.spectrum import eliminated
from eigenshrink.spectrum.eliminated import Columns, Solved, eliminate
from eigenshrink.spectrum.penalised import Penalised
from krylov_problems import SPECTRA, Counted, Problem, problem

FREE = (3, 4, 7, 100, 239)


def made(flat: bool = False, float32: bool = False) -> Problem:
    return problem(SPECTRA["power law"], factors=True, free=FREE, flat=flat, stray=1e-3, float32=float32)


def oracle(case: Problem):
    """``H_FF⁺H_FP`` and ``H_FF⁺`` from the matrix."""
    F, P, H = case.fit.free, case.fit.penalised, case.H
    inverse = np.linalg.pinv(H[np.ix_(F, F)], 1e-10)
    return inverse @ H[np.ix_(F, P)], inverse


@pytest.fixture(params=["columns", "solves"])
def way(request, monkeypatch) -> str:
    if request.param == "solves":
        monkeypatch.setattr(eliminated, "COLUMNS", 0)
    return str(request.param)


@pytest.mark.parametrize("flat", [False, True], ids=["regular", "softmax shift"])
def test_free_weights_follow_the_others_as_the_pseudo_inverse_says(way, flat) -> None:
    case = made(flat)
    found = eliminate(case.fit, 1 << 30)
    onto, inverse = oracle(case)
    fit, block = case.fit, found.block
    rng = np.random.default_rng(0)
    ahead, back = rng.normal(size=(len(fit.penalised), 2)), rng.normal(size=(len(FREE), 3))
    assert isinstance(block.onto, Columns if way == "columns" else Solved)
    np.testing.assert_allclose(block.onto @ ahead, onto @ ahead, atol=1e-8)
    np.testing.assert_allclose(-block.onto @ ahead[:, 0], -onto @ ahead[:, 0], atol=1e-8)
    np.testing.assert_allclose(block.onto.T @ back, onto.T @ back, atol=1e-7)
    offset = fit.weights[fit.free] - inverse @ fit.gradient[fit.free] + onto @ fit.weights[fit.penalised]
    np.testing.assert_allclose(block.offset, offset, atol=1e-7)
    g = fit.gradient[fit.free, 0]
    assert np.square(block.root.T @ g).sum() == pytest.approx(g @ inverse @ g, rel=1e-6)
    if way == "columns":
        assert block.rank == len(FREE) - flat
        assert found.products == len(FREE)


@pytest.mark.parametrize("flat", [False, True], ids=["regular", "softmax shift"])
def test_products_are_those_of_the_schur_complement(way, flat) -> None:
    case = made(flat)
    operator = Penalised(case.fit, eliminate(case.fit, 1 << 30).block)
    V = np.random.default_rng(1).normal(size=(operator.dim, 3))
    np.testing.assert_allclose(operator.matvec(V), case.shrunk @ V, atol=1e-8)
    assert operator.products == 3


def test_columns_in_float32_leave_products_symmetric_and_positive() -> None:
    case = made(flat=True, float32=True)
    block = eliminate(case.fit, 1 << 30).block
    assert np.asarray(block.onto).dtype == np.float32
    assert block.rank == len(FREE) - 1
    exact = Problem(replace(case.fit, curvature=Counted(case.H)), case.H)
    A = Penalised(exact.fit, block).matvec(np.eye(len(case.fit.penalised)))
    assert np.abs(A - A.T).max() <= 1e-14  # whatever the error of what is eliminated
    assert np.linalg.eigvalsh(A).min() >= -1e-14
    np.testing.assert_allclose(A, exact.shrunk, atol=1e-5)


def test_without_free_weights_nothing_is_multiplied() -> None:
    case = problem(SPECTRA["power law"])
    found = eliminate(case.fit, 1 << 30)
    assert found.products == case.fit.curvature.calls == 0
    assert found.block.rank == 0


def test_a_weight_that_is_not_active_is_left_alone() -> None:
    case = made()
    active = np.ones(240, dtype=bool)
    active[[0, 3]] = False
    fit = replace(case.fit, active=active)
    operator = Penalised(fit, eliminate(fit, 1 << 30).block)
    keep = np.flatnonzero(active)
    smaller = Problem(
        replace(
            fit,
            weights=fit.weights[keep],
            gradient=fit.gradient[keep],
            penalty_factor=fit.penalty_factor[keep],
            active=active[keep],
        ),
        case.H[np.ix_(keep, keep)],
    )
    np.testing.assert_allclose(operator.matvec(np.eye(operator.dim)), smaller.shrunk, atol=1e-10)


@pytest.mark.parametrize("size", [-1.0, -1e-2])
def test_negative_curvature_among_free_weights_is_refused(way, size) -> None:
    case = made()
    H = case.H.copy()
    H[np.ix_(FREE, FREE)] += size * np.eye(len(FREE)) - 0.0
    fit = replace(case.fit, curvature=Counted(H))
    with pytest.raises(InputError, match="negative"):
        eliminate(fit, 1 << 30)


def test_little_memory_leads_to_solves_and_both_give_the_same() -> None:
    case = made()
    little = eliminated.column_bytes(case.fit)
    few, many = eliminate(case.fit, little), eliminate(case.fit, 2 * little)
    assert isinstance(few.block.onto, Solved)
    assert isinstance(many.block.onto, Columns)
    np.testing.assert_allclose(few.block.offset, many.block.offset, atol=1e-7)


def test_solves_that_do_not_end_are_said(monkeypatch) -> None:
    monkeypatch.setattr(eliminated, "INNER", 2)
    monkeypatch.setattr(eliminated, "COLUMNS", 0)
    with pytest.raises(NotConverged, match="leave 0 or fewer free"):
        eliminate(made().fit, 1 << 30)


def test_products_that_are_not_finite_are_refused() -> None:
    case = made()
    H = case.H.copy()
    H[5, 3] = np.nan
    with pytest.raises(InputError, match="NaN or infinity"):
        eliminate(replace(case.fit, curvature=Counted(H)), 1 << 30)
