"""A study of any loss in a file and back: the same answers without the rows, and nothing claimed for them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from eigenshrink.models import LOSSES
from eigenshrink.path.tabled import TabledPath
from eigenshrink.risk import NEEDS_ROWS
from glm_studies import KINDS, counts, logistic, rows, study_of

NEAR = {"huber": 1e-3, "separated": 1e-3, "weakest": 1e-3}  # paths that bend where the loss does not


@pytest.fixture(scope="module")
def loaded_of(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("studies"), {}

    def load(kind):
        if kind not in made:
            path = folder / f"{len(made)}.npz"
            study_of(kind).save(path)
            made[kind] = es.load(path)
        return made[kind]

    return load


def strengths(study):
    low, high = np.exp(study.path.span) if study.path.span else (1e-3, 1.0)
    inside = np.geomspace(max(low / 20, study.path.lowest), 20 * high, 41)
    return np.concatenate([[study.path.lowest], inside, [np.inf]])


@pytest.mark.parametrize("kind", KINDS)
def test_weights_at_any_strength(kind, loaded_of):
    study, loaded = study_of(kind), loaded_of(kind)
    alphas = strengths(study)
    one, other = study.coef(alphas), loaded.coef(alphas)
    size = np.linalg.norm(one.reshape(len(alphas), -1), axis=1)
    apart = np.linalg.norm((one - other).reshape(len(alphas), -1), axis=1)
    assert np.all(apart <= NEAR.get(kind, 1e-5) * size + 1e-12)
    assert_allclose(loaded.intercept(alphas), study.intercept(alphas), atol=NEAR.get(kind, 1e-5) * 10)
    assert_allclose(loaded.path.train_loss(alphas), study.path.train_loss(alphas), atol=1e-4)
    assert_array_equal(loaded.path.effective_parameters(alphas), study.path.effective_parameters(alphas))
    assert_allclose(loaded.path.norm(alphas), study.path.norm(alphas), rtol=NEAR.get(kind, 1e-4))


@pytest.mark.parametrize("kind", KINDS)
def test_the_chosen_model_is_exact(kind, loaded_of):
    study, loaded = study_of(kind), loaded_of(kind)
    assert_array_equal(loaded.alpha, study.alpha)
    for made in ("coef", "intercept", "standard_errors", "covariance"):
        assert_allclose(getattr(loaded, made)(), getattr(study, made)(), rtol=1e-12, atol=1e-14)
        assert np.shape(getattr(loaded, made)()) == np.shape(getattr(study, made)())
    X = rows(5, study.facts.columns, 77)
    assert_allclose(loaded.predict(X), study.predict(X), rtol=1e-12)
    assert_allclose(loaded.prediction_std(X), study.prediction_std(X), rtol=1e-9)
    for name in ("dispersion", "residual_df", "effective_parameters"):
        assert_array_equal(getattr(loaded, name), getattr(study, name))
    assert (
        loaded.directions() == loaded.directions()
        or loaded.directions().verdict == study.directions().verdict
    )
    assert_array_equal(loaded.spectrum.eigenvalues, study.spectrum.eigenvalues)


@pytest.mark.parametrize("kind", KINDS)
def test_curves_are_kept(kind, loaded_of):
    study, loaded = study_of(kind), loaded_of(kind)
    alphas = strengths(study)
    assert set(loaded.risk) == set(study.risk)
    for name, curve in study.risk.items():
        one, other = curve(alphas), loaded.risk[name](alphas)
        there = np.isfinite(one)
        size = np.ptp(one[there]) if there.any() else 0.0
        assert_array_equal(np.isfinite(other), there)
        loose = 1.0 if name == "misclassified" else 1e-3 if name in NEEDS_ROWS else 1e-12
        assert_allclose(other[there], one[there], rtol=1e-6, atol=loose * size + 1e-9)
        assert loaded.risk[name].unit == curve.unit
        assert_allclose(loaded.risk[name](), curve(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_known_is_kept(kind, loaded_of):
    study, loaded = study_of(kind), loaded_of(kind)
    assert isinstance(loaded.path, TabledPath)
    assert (loaded.loss, loaded.classes) == (study.loss, study.classes)
    assert [type(label) for label in loaded.classes] == [type(label) for label in study.classes]
    assert (loaded.feature_names, loaded.target_names) == (study.feature_names, study.target_names)
    assert (loaded.path.separation, loaded.path.lowest) == (study.path.separation, study.path.lowest)
    assert (loaded.path.trusted, loaded.path.span) == (study.path.trusted, study.path.span)
    assert len(loaded.path.anchors) == len(study.path.anchors)
    for name, value in vars(study.facts).items():
        assert_array_equal(getattr(loaded.facts, name), value)
    assert [finding.check for finding in loaded.audit] == [finding.check for finding in study.audit]
    assert loaded.choice.reason == study.choice.reason


def test_nothing_is_proved_without_rows(loaded_of):
    loaded = loaded_of("logistic")
    alpha = loaded.alpha
    assert np.isnan(loaded.path.certificate(alpha))
    assert np.isnan(loaded.path.certificate([alpha, np.inf])).all()
    assert loaded.path.proved_interval(alpha) == (alpha, alpha)
    for refuse in (
        lambda: loaded.path.residual_bound(alpha),
        lambda: loaded.path.certify(loaded.coef(), alpha),
        lambda: loaded.standard_errors(2 * alpha),
        lambda: loaded.directions(2 * alpha),
        lambda: loaded.plot.contour(alpha=2 * alpha),
        lambda: loaded.curvature.matvec(np.zeros(4)),
    ):
        with pytest.raises(es.InputError, match=r"holds no rows: make it again with es\.study"):
            refuse()


@pytest.mark.parametrize("kind", ["multinomial", "gamma", "separated", "wide", "column of counts"])
def test_a_second_trip_changes_nothing(kind, loaded_of, tmp_path):
    loaded = loaded_of(kind)
    loaded.save(tmp_path / "again.npz")
    again, alphas = es.load(tmp_path / "again.npz"), strengths(loaded)
    assert_array_equal(again.coef(alphas), loaded.coef(alphas))
    assert_array_equal(again.risk["loo"](alphas), loaded.risk["loo"](alphas))
    assert_array_equal(again.dispersion, loaded.dispersion)
    assert again.summary() == loaded.summary()


@pytest.mark.parametrize("kind", ["multinomial", "counts", "nothing varies"])
def test_the_page_and_the_numbers_are_made_again(kind, loaded_of, tmp_path):
    loaded = loaded_of(kind)
    loaded.report(tmp_path / "report.html")
    json.dumps(loaded.to_dict(), allow_nan=False)
    assert ("lost: the study was loaded" in loaded.summary()) == (loaded.alpha > 0)


def test_strengths_below_the_weakest_are_still_refused(loaded_of):
    with pytest.raises(es.InputError, match="the path begins at"):
        loaded_of("separated").coef(0.0)


def test_float32_and_frequency_weights_survive(tmp_path):
    X = rows(50, 3, 12).astype(np.float32)
    study = es.study(X, X[:, 0] > 0.2 * rows(50, 1, 13)[:, 0], loss="logistic")
    study.save(tmp_path / "study.npz")
    assert es.load(tmp_path / "study.npz").coef().dtype == np.float32


def test_a_loss_of_ones_own_is_refused(tmp_path):
    study = es.study(rows(40, 2, 14), np.arange(40) % 4, loss=replace(LOSSES["poisson"], name="mine"))
    with pytest.raises(es.InputError, match="a loss of your own, 'mine'"):
        study.save(tmp_path / "study.npz")
    assert list(tmp_path.iterdir()) == []


def test_files_of_the_last_format_are_read(tmp_path):
    path = tmp_path / "study.npz"
    X = rows(30, 3, 15)
    study = es.study(X, X[:, 0] + rows(30, 1, 16)[:, 0])
    study.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    meta = json.loads(arrays["meta"].tobytes())
    assert (meta["format"], meta["kind"]) == (3, "quadratic")
    for new in ("kind", "classes"):
        del meta[new]
    for new in ("class_shares", "offset"):
        del meta["facts"][new]
    text = json.dumps(meta | {"format": 2}).encode()
    with path.open("wb") as file:
        np.savez(file, **arrays | {"meta": np.frombuffer(text, dtype=np.uint8)})
    assert_array_equal(es.load(path).coef([0.1, 1.0]), study.coef([0.1, 1.0]))


@pytest.mark.parametrize("study", [logistic, counts])
def test_a_file_with_a_part_missing_is_refused(study, tmp_path):
    path = tmp_path / "study.npz"
    study(n=30, p=2).save(path)
    with np.load(path) as file:
        arrays = dict(file)
    for name in arrays:
        with path.open("wb") as file:
            np.savez(file, **{key: value for key, value in arrays.items() if key != name})
        with pytest.raises(es.InputError, match="no study saved by eigenshrink"):
            _ = es.load(path).summary()
