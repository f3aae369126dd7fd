"""A study in a file and back: the same answers without the rows, and nothing that is executed."""

from __future__ import annotations

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from eigenshrink.archive import FORMAT
from oracles import CASES, Problem, make

ALPHAS = np.array([0.0, 1e-6, 1e-3, 0.05, 1.0, 30.0, 1e5, np.inf])


def round_trip(study: es.Study, folder) -> es.Study:
    study.save(folder / "study.npz")
    return es.load(folder / "study.npz")


@pytest.fixture(params=CASES)
def pair(request, tmp_path) -> tuple[es.Study, es.Study]:
    study = make(3, **CASES[request.param]).study(criterion="evidence")
    return study, round_trip(study, tmp_path)


# --- the same answers ---------------------------------------------------------------------------------


def test_weights_and_counts_are_the_same(pair):
    study, loaded = pair
    for method in ("coef", "intercept"):
        assert_allclose(getattr(loaded, method)(ALPHAS), getattr(study, method)(ALPHAS), rtol=1e-12)
        assert_allclose(getattr(loaded, method)(), getattr(study, method)(), rtol=1e-12)
    for method in ("effective_parameters", "shrinkage", "norm", "train_loss"):
        one, other = getattr(study.path, method)(ALPHAS), getattr(loaded.path, method)(ALPHAS)
        assert_allclose(other, one, rtol=1e-12)
    assert np.shape(loaded.coef()) == np.shape(study.coef())
    assert type(loaded.alpha) is type(study.alpha)


def test_curves_are_the_same(pair):
    """GCV and evidence from the spectrum; leave-one-out from a table, to 1e-6 of its range."""
    study, loaded = pair
    assert set(loaded.risk) == set(study.risk)
    for name in ("gcv", "evidence"):
        assert_array_equal(loaded.risk[name](ALPHAS), study.risk[name](ALPHAS))
        assert_array_equal(loaded.risk[name].minimum.alpha, study.risk[name].minimum.alpha)
    one, other = study.risk["loo"](ALPHAS), loaded.risk["loo"](ALPHAS)
    size = np.ptp(one[np.isfinite(one)]) + 1e-9
    assert_allclose(other, one, rtol=1e-9, atol=1e-6 * size)
    assert_allclose(
        loaded.risk["loo"].derivative(ALPHAS[1:-1]),
        study.risk["loo"].derivative(ALPHAS[1:-1]),
        atol=1e-4 * size,
    )
    assert loaded.risk["loo"].unit == study.risk["loo"].unit


def test_choice_findings_and_facts_are_the_same(pair):
    study, loaded = pair
    assert_array_equal(loaded.alpha, study.alpha)
    assert_array_equal(loaded.choice.boundary, study.choice.boundary)
    assert (loaded.choice.criterion, loaded.choice.reason) == (study.choice.criterion, study.choice.reason)
    assert list(loaded.audit) == list(study.audit)
    assert loaded.feature_names == study.feature_names
    assert loaded.target_names == study.target_names
    for name, value in vars(study.facts).items():
        assert_array_equal(getattr(loaded.facts, name), value)
    assert_allclose(loaded.alphas, study.alphas)
    spectrum = loaded.spectrum
    assert (spectrum.route, spectrum.at, spectrum.floor) == (
        study.spectrum.route,
        study.spectrum.at,
        study.spectrum.floor,
    )
    assert_array_equal(spectrum.eigenvalues, study.spectrum.eigenvalues)
    assert_allclose(spectrum.basis, study.spectrum.basis, atol=1e-14)


def test_what_needs_rows_says_so(pair):
    study, loaded = pair
    assert np.isnan(loaded.path.certificate(0.1))
    with pytest.raises(es.InputError, match=r"holds no rows: make it again with es\.study"):
        loaded.curvature.matvec(np.zeros(loaded.facts.columns))
    with pytest.raises(es.InputError, match=r"holds no rows"):
        _ = loaded.curvature.dense
    assert loaded.curvature.dim == study.curvature.dim


def test_predictions_and_directions_are_the_same(pair):
    study, loaded = pair
    X = np.random.default_rng(0).normal(size=(4, study.facts.columns))
    assert_allclose(loaded.predict(X), study.predict(X), rtol=1e-12)
    assert loaded.directions(0.1).verdict == study.directions(0.1).verdict


def test_a_second_trip_changes_nothing(pair, tmp_path):
    _, loaded = pair
    again = round_trip(loaded, tmp_path)
    assert_array_equal(again.coef(ALPHAS), loaded.coef(ALPHAS))
    assert_array_equal(again.risk["loo"](ALPHAS), loaded.risk["loo"](ALPHAS))
    assert_array_equal(again.alpha, loaded.alpha)
    assert list(again.audit) == list(loaded.audit)


@pytest.mark.parametrize("shape", [(40, 5), (12, 20), (30, 25)])
def test_leave_one_out_is_kept_to_a_ten_millionth_of_its_range(shape, tmp_path):
    study = make(4, *shape, weights="precision").study()
    loaded = round_trip(study, tmp_path)
    alphas = np.logspace(-9, 9, 777)
    one = study.risk["loo"](alphas)
    assert_allclose(loaded.risk["loo"](alphas), one, atol=2e-7 * np.ptp(one))
    best = study.risk["loo"].minimum
    assert loaded.risk["loo"].minimum.boundary == best.boundary
    if best.boundary == "none":
        assert_allclose(np.log(loaded.risk["loo"].minimum.alpha), np.log(best.alpha), atol=1e-3)


@pytest.mark.parametrize("asked", [0.3, 0.0, np.inf, [0.1, np.inf]])
def test_given_and_extreme_strengths_are_kept(asked, tmp_path):
    study = make(3, 25, 5, t=2).study(alpha=asked)
    loaded = round_trip(study, tmp_path)
    assert_array_equal(loaded.alpha, study.alpha)
    assert list(loaded.choice.boundary) == list(study.choice.boundary)
    assert_allclose(loaded.coef(), study.coef())


def test_an_infinite_leave_one_out_is_kept(tmp_path):
    problem = make(8, 14, 4, free=1)
    X = problem.X.copy()
    X[:, 3] = np.arange(14) == 5
    loaded = round_trip(problem.with_(X=X).study(criterion="evidence"), tmp_path)
    assert loaded.risk["loo"](0.1) == np.inf
    assert loaded.choice.criterion == "evidence"


@pytest.mark.parametrize("wrap", [np.asarray, scipy.sparse.csr_array])
def test_float32_stays_float32(wrap, tmp_path):
    problem = make(3, 25, 5)
    loaded = round_trip(es.study(wrap(problem.X.astype(np.float32)), problem.y), tmp_path)
    assert loaded.coef(0.1).dtype == np.float32


def test_a_file_without_suffix_is_written_as_it_is_called(tmp_path):
    make(3, 25, 5).study().save(tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert es.load(str(tmp_path / "mine")).facts.rows == 25


# --- files that are no study --------------------------------------------------------------------------


def refuse(path, message: str) -> None:
    with pytest.raises(es.InputError, match=message) as caught:
        es.load(path)
    assert str(path) in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    refuse(tmp_path / "missing.npz", "cannot read|No such file")
    refuse(tmp_path, "cannot read|directory")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"PK\x03\x04 not really",
        b"\x93NUMPY broken",
        pickle.dumps({"a": 1}),
    ],
)
def test_files_that_are_something_else(tmp_path, content):
    path = tmp_path / "some.npz"
    path.write_bytes(content)
    refuse(path, "no study saved by eigenshrink")


def save(path, **arrays) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)


def meta_of(path) -> dict:
    with np.load(path) as file:
        return json.loads(file["meta"].tobytes())


def as_meta(meta) -> np.ndarray:
    return np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)


def test_arrays_of_somebody_else(tmp_path):
    path = tmp_path / "other.npz"
    save(path, weights=np.zeros(3))
    refuse(path, "no study saved by eigenshrink")
    np.save(tmp_path / "one.npy", np.zeros(3))
    refuse(tmp_path / "one.npy", "no study saved by eigenshrink")


@pytest.mark.parametrize("meta", [[1, 2], "text", 3, None, {}, {"format": 1}])
def test_descriptions_that_describe_nothing(tmp_path, meta):
    path = tmp_path / "other.npz"
    save(path, meta=as_meta(meta))
    refuse(path, "study|format")


def test_pickled_objects_are_never_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return exec, ("raise SystemExit('executed')",)

    path = tmp_path / "bomb.npz"
    save(path, meta=np.array([Bomb()], dtype=object))
    refuse(path, "no study saved by eigenshrink")


def test_formats_of_the_future_are_refused(tmp_path):
    path = tmp_path / "study.npz"
    make(3, 25, 5).study().save(path)
    with np.load(path) as file:
        arrays = dict(file)
    save(path, **arrays | {"meta": as_meta(meta_of(path) | {"format": 99, "version": "9.1"})})
    refuse(path, rf"format 99.*this version reads {FORMAT}.*eigenshrink 9\.1")


def test_a_description_with_a_part_missing_is_refused(tmp_path):
    path = tmp_path / "study.npz"
    make(3, 25, 5).study(groups=np.arange(25) // 5).save(path)
    meta = meta_of(path)
    with np.load(path) as file:
        arrays = dict(file)
    for name in meta.keys() - {"version"}:
        left = {key: value for key, value in meta.items() if key != name}
        save(path, **arrays | {"meta": as_meta(left)})
        refuse(path, "no study saved by eigenshrink")


def test_a_study_with_a_part_missing_is_refused(tmp_path):
    path = tmp_path / "study.npz"
    make(3, 25, 5).study().save(path)
    with np.load(path) as file:
        arrays = dict(file)
    for name in arrays:
        save(path, **{key: value for key, value in arrays.items() if key != name})
        refuse(path, "no study saved by eigenshrink")


def test_a_file_that_was_cut_short_is_refused(tmp_path):
    path = tmp_path / "study.npz"
    make(3, 25, 5).study().save(path)
    whole = path.read_bytes()
    for share in (0.2, 0.6, 0.98):
        path.write_bytes(whole[: int(share * len(whole))])
        refuse(path, "no study saved by eigenshrink")


def test_a_file_with_a_damaged_array_is_refused(tmp_path):
    path = tmp_path / "study.npz"
    make(3, 25, 5).study().save(path)
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"\x00" * 40 if name == "basis.npy" else old.read(name))
    path.write_bytes(out.getvalue())
    refuse(path, "no study saved by eigenshrink")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(es.InputError, match="cannot write"):
        make(3, 25, 5).study().save(tmp_path / "file" / "study.npz")


def test_nothing_half_written_is_left(tmp_path, monkeypatch):
    path = tmp_path / "study.npz"
    make(3, 25, 5).study().save(path)
    before = path.read_bytes()

    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises((OSError, es.InputError)):
        Problem(np.eye(4), np.arange(4.0)).study().save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
