"""Long computations that are interrupted: the rest comes out the same to the last bit (M19)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eigenshrink.errors import InputError
from eigenshrink.path.measured import Layer
from eigenshrink.path.products import Effort, krylov_path
from eigenshrink.spectrum import checkpoint
from eigenshrink.spectrum.checkpoint import Checkpoint
from krylov_problems import SPECTRA, Counted, Problem, problem

ALPHAS = np.geomspace(1e-4, 1, 7)
LAYERS = (Layer("first", 0, 90), Layer("second", 90, 240))
FREE = tuple(range(0, 240, 12))


@pytest.fixture(autouse=True)
def every_block(monkeypatch) -> None:
    """Write after each block, however quick it was."""
    monkeypatch.setattr(checkpoint, "SHARE", 1.0)


def made(float32: bool = False) -> Problem:
    return problem(SPECTRA["power law"], stray=1e-3, factors=True, free=FREE, float32=float32)


def answers(path):
    return (
        path.weights(ALPHAS),
        path.residual_bound(ALPHAS),
        path.sums.shares(ALPHAS).value,
        path.sums.layers(ALPHAS),
    )


def effort(folder, **more) -> Effort:
    return Effort(whole=0, weakest=1e-4, checkpoint=folder / "run.npz", **more)


@pytest.mark.parametrize("float32", [False, True])
@pytest.mark.parametrize("calls", [1, 2, 7, 30, 45])
def test_what_was_interrupted_goes_on_and_ends_exactly_the_same(tmp_path, calls, float32) -> None:
    case = made(float32)
    whole = krylov_path(case.fit, LAYERS, effort=Effort(whole=0, weakest=1e-4))
    expected, spent = answers(whole), case.fit.curvature.columns
    broken = Counted(case.H, float32, fails_after=calls)
    with pytest.raises(KeyboardInterrupt):
        answers(krylov_path(replace(case.fit, curvature=broken), LAYERS, effort=effort(tmp_path)))
    again = Counted(case.H, float32)
    found = answers(krylov_path(replace(case.fit, curvature=again), LAYERS, effort=effort(tmp_path)))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert broken.columns + again.columns == spent  # nothing was made twice


def test_what_has_ended_costs_nothing_again(tmp_path) -> None:
    case = made()
    first = answers(krylov_path(case.fit, LAYERS, effort=effort(tmp_path)))
    again = Counted(case.H)
    second = answers(krylov_path(replace(case.fit, curvature=again), LAYERS, effort=effort(tmp_path)))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.columns == 0


def test_more_products_go_on_from_where_fewer_ended(tmp_path) -> None:
    case = made()
    krylov_path(case.fit, effort=effort(tmp_path, products=30))
    assert krylov_path(case.fit, effort=effort(tmp_path, products=30)).residual_bound(1e-4) > 1e-3
    path = krylov_path(case.fit, effort=effort(tmp_path, products=400))
    whole = krylov_path(case.fit, effort=Effort(whole=0, weakest=1e-4))
    assert path.residual_bound(1e-4) <= 1e-6 * path.norm(1e-4)
    np.testing.assert_allclose(path.weights(ALPHAS), whole.weights(ALPHAS), rtol=1e-6, atol=1e-9)


def test_gradients_that_differ_in_the_last_digits_are_of_the_same_data(tmp_path) -> None:
    case = made()
    krylov_path(case.fit, effort=effort(tmp_path))
    near = replace(case.fit, gradient=case.fit.gradient * (1 + 1e-7), curvature=Counted(case.H))
    krylov_path(near, effort=effort(tmp_path))
    assert near.curvature.columns == 0


@pytest.mark.parametrize("change", ["weights", "gradient", "alpha", "factors", "accuracy", "precision"])
def test_a_checkpoint_of_something_else_is_refused(tmp_path, change) -> None:
    case = made()
    krylov_path(case.fit, effort=effort(tmp_path))
    fit, settings = case.fit, effort(tmp_path)
    if change == "weights":
        fit = replace(fit, weights=fit.weights + 1e-12)
    elif change == "gradient":
        fit = replace(fit, gradient=fit.gradient * 1.01)
    elif change == "alpha":
        fit = replace(fit, alpha=2e-3)
    elif change == "factors":
        fit = replace(fit, penalty_factor=fit.penalty_factor * 2)
    elif change == "precision":
        fit = replace(fit, curvature=Counted(case.H, float32=True))
    else:
        settings = effort(tmp_path, accuracy=1e-3)
    with pytest.raises(InputError, match="other weights, data or settings"):
        krylov_path(fit, effort=settings)


def test_other_probes_are_refused_too(tmp_path) -> None:
    case = made()
    answers(krylov_path(case.fit, LAYERS, effort=effort(tmp_path)))
    with pytest.raises(InputError, match=r"run\.sums\.npz is of other"):
        answers(krylov_path(case.fit, LAYERS, effort=effort(tmp_path, seed=1)))


def test_a_file_that_is_none_of_these_is_refused(tmp_path) -> None:
    (tmp_path / "run.free.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InputError, match="no checkpoint that can be read"):
        krylov_path(made().fit, effort=effort(tmp_path))
    np.savez(tmp_path / "run.free.npz", rows=np.zeros(3))
    with pytest.raises(InputError, match="no checkpoint that can be read"):
        krylov_path(made().fit, effort=effort(tmp_path))


def test_writing_takes_a_small_share_of_the_time(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(checkpoint, "SHARE", 1e-9)
    fit = made().fit
    kept = Checkpoint(tmp_path / "run.npz", fit)
    kept.write("path", lambda: {"number": np.array(1)})
    kept.write("path", lambda: {"number": np.array(2)})  # at once: not written
    assert kept.read("path")["number"] == 1
    kept.write("path", lambda: {"number": np.array(3)}, last=True)
    assert kept.read("path")["number"] == 3
    assert [file.name for file in tmp_path.iterdir()] == ["run.path.npz"]


def test_without_a_file_nothing_is_kept() -> None:
    kept = Checkpoint(None, made().fit)
    kept.write("path", lambda: {"number": np.array(1)}, last=True)
    assert kept.read("path") is None
