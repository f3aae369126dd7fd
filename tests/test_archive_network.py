"""A study of a network in a file and back: the same answers without the network, and nothing executed."""

from __future__ import annotations

import base64
import json
import re
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from safetensors import safe_open
from safetensors.numpy import save_file

import eigenshrink as es
from eigenshrink.archive import network
from eigenshrink.archive.spectra import Carried, Remembered
from eigenshrink.plots import figures
from eigenshrink.report.page import make_page
from eigenshrink.spectrum.eliminated import Columns, Solved
from eigenshrink.trained import NetworkStudy
from network_studies import KINDS, SHAPES, perceptron, study, study_of, wide_path
from posed_networks import Rows
from posed_networks import network as network_of

ROUND = [kind for kind in KINDS if kind not in ("given", "stopped early", "untrained decay")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("archive")


@pytest.fixture(scope="module")
def again(folder):
    @cache
    def load(kind):
        study(kind).save(folder / f"{kind}.safetensors")
        return es.load(folder / f"{kind}.safetensors")

    return load


def strengths(path):
    least = path.quadratic.trusted[0]
    return np.array([1e-4, 0.0056, 0.02, 0.3, 50.0, np.inf]) + least


# --- the same answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ROUND)
def test_weights_and_sums_are_the_same(kind, again):
    one, other = study(kind).path, again(kind).path
    alphas = strengths(one)
    assert_allclose(other.weights(alphas), one.weights(alphas), rtol=1e-9, atol=1e-12)
    for method in ("shrinkage", "norm", "train_loss", "effective_parameters", "effective_by_layer"):
        assert_allclose(getattr(other, method)(alphas), getattr(one, method)(alphas), rtol=1e-12, atol=1e-13)
    for name in ("value", "standard_error", "low", "high"):
        found = getattr(other.effective_estimate(alphas), name)
        assert_array_equal(found, getattr(one.effective_estimate(alphas), name))
    edges = np.geomspace(1e-8, 10.0, 30)
    assert_array_equal(other.sums.density(edges), one.sums.density(edges))
    assert_array_equal(other.sums.logs(alphas).value, one.sums.logs(alphas).value)
    assert (other.sums.negative, other.sums.products) == (one.sums.negative, one.sums.products)
    assert other.spectrum.basis.shape == one.spectrum.basis.shape
    assert (other.trusted, other.span, other.tolerance, other.rested) == (
        one.trusted,
        one.span,
        one.tolerance,
        one.rested,
    )
    for name in ("places", "strengths"):
        assert_array_equal(getattr(other.calibration, name), getattr(one.calibration, name))
    assert_array_equal(other.place(alphas), one.place(alphas))
    assert_allclose(other.slope(0.02), one.slope(0.02), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ROUND)
def test_choice_curves_facts_and_findings_are_the_same(kind, again):
    one, other = study(kind), again(kind)
    assert isinstance(other, NetworkStudy)
    assert (other.alpha, other.choice.criterion, other.choice.reason) == (
        one.alpha,
        one.choice.criterion,
        one.choice.reason,
    )
    assert other.choice.interval == one.choice.interval
    assert (other.choice.boundary, other.choice.flatness) == (one.choice.boundary, one.choice.flatness)
    assert set(other.risk) == set(one.risk)
    for name in one.risk:
        assert_allclose(other.risk[name](one.alphas), one.risk[name](one.alphas), rtol=1e-10, equal_nan=True)
    assert str(other.audit) == str(one.audit)
    assert other.feature_names == one.feature_names
    assert (other.loss, other.target_names) == (one.loss, one.target_names)
    assert other.path.layers == one.path.layers
    assert str(other.path.notes) == str(one.path.notes)
    assert str(other.facts) == str(one.facts)
    found, wanted = other.path.hypergradient, one.path.hypergradient
    assert (found is None) == (wanted is None)
    if wanted is not None:
        assert vars(found) == vars(wanted)


@pytest.mark.parametrize("kind", ["perceptron", "free biases", "wide", "cannot tell", "trusted nowhere"])
def test_summary_numbers_and_page_are_the_same(kind, again):
    one, other = study(kind), again(kind)
    assert other.summary() == one.summary()
    assert figures(other) == figures(one)
    (text, record), (other_text, other_record) = (taken_apart(make_page(s, source="x")) for s in (one, other))
    assert other_text == text
    assert_alike(other_record, record)
    assert_alike(other.to_dict(), one.to_dict())


def taken_apart(page):
    """A page without its data, and the data."""
    found = re.search(r'<script type="application/json" id="record">(.*?)</script>', page)
    return page.replace(found[1], ""), numbers(json.loads(found[1]))


def numbers(found):
    """Arrays as lists, their gaps as None; an error of a table, which is rounding itself, to three digits."""
    if isinstance(found, dict) and set(found) & {"f4", "f8"}:
        kind = "f4" if "f4" in found else "f8"
        values = np.frombuffer(base64.b64decode(found[kind]), dtype=f"<{kind}")
        return [float(value) if np.isfinite(value) else None for value in values]
    if isinstance(found, dict):
        return {
            name: round(each, 3) if name == "error" and each else numbers(each)
            for name, each in found.items()
        }
    return [numbers(each) for each in found] if isinstance(found, list) else found


def assert_alike(found, wanted):
    """The same numbers up to rounding, name by name."""
    if isinstance(wanted, dict):
        assert list(found) == list(wanted)
        for name in wanted:
            assert_alike(found[name], wanted[name])
    elif isinstance(wanted, list) and wanted and all(isinstance(one, float | None) for one in wanted):
        first, second = (np.array(values, dtype=float) for values in (found, wanted))
        assert_allclose(first, second, rtol=1e-9, atol=1e-12, equal_nan=True)
    elif isinstance(wanted, list):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_alike(one, other)
    elif isinstance(wanted, float):
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    else:
        assert found == wanted


def test_alike_sees_a_difference():
    with pytest.raises(AssertionError):
        assert_alike({"a": [1.0, {"b": 2.0}]}, {"a": [1.0, {"b": 2.1}]})
    with pytest.raises(AssertionError):
        assert_alike({"a": [1.0, 2.0]}, {"a": [1.0, 2.0001]})


def test_a_second_trip_changes_nothing(again, folder):
    first = again("free biases")
    first.save(folder / "second.safetensors")
    assert (folder / "second.safetensors").read_bytes() == (folder / "free biases.safetensors").read_bytes()


def test_bounds_are_kept_and_stay_bounds(again):
    one, other = study("wide").path, again("wide").path
    alphas = np.geomspace(1e-5, 1.0, 57)
    kept, true = other.residual_bound(alphas), one.residual_bound(alphas)
    assert (kept >= true * (1 - 1e-9)).all()
    known = study("wide").alphas
    assert_allclose(other.residual_bound(known), one.residual_bound(known))
    assert other.residual_bound(known[0] / 10) == np.inf


def test_a_basis_keeps_its_precision(again):
    one, other = study("wide").path.spectrum.directions, again("wide").path.spectrum.directions
    assert other.rest.dtype == one.rest.dtype
    assert_array_equal(other.rest, one.rest)


# --- free weights -------------------------------------------------------------------------------------


@pytest.mark.parametrize("onto", [Columns, np.asarray])
def test_free_weights_follow_from_the_directions(onto, tmp_path):
    path = wide_path(p=2000, k=20, free=30)
    free = replace(path.spectrum.free, onto=onto(np.asarray(path.spectrum.free.onto)))
    path = replace(path, quadratic=replace(path.quadratic, spectrum=replace(path.spectrum, free=free)))
    study_of(path, alpha=0.01).save(tmp_path / "s.safetensors")
    other = es.load(tmp_path / "s.safetensors").path
    alphas = np.array([1e-3, 0.01, 0.7, np.inf])
    assert isinstance(other.spectrum.free.onto, Carried)
    assert_allclose(other.weights(alphas), path.weights(alphas), rtol=1e-5, atol=1e-7)
    rows = np.random.default_rng(0).normal(size=(30, 2))
    scale, directions = path.quadratic.fit.scale[:, None], path.spectrum.directions
    inside = directions.back(directions.forth(scale * (free.onto.T @ rows))) / scale
    assert_allclose(other.spectrum.free.onto.T @ rows, inside, atol=1e-6)
    assert (tmp_path / "s.safetensors").stat().st_size < 8 * 2000 * 60


class Dear(Solved):
    """One solve for every column, counted."""

    def __init__(self, array):
        self.array, self.columns = array, 0

    def __matmul__(self, vectors):
        self.columns += vectors.reshape(len(vectors), -1).shape[1]
        return self.array @ vectors

    def back(self, vectors):
        return self.array.T @ vectors


def test_free_weights_that_need_solves_are_kept_at_the_chosen_strength(tmp_path):
    path = wide_path(p=2000, k=20, free=30)
    dear = Dear(np.asarray(path.spectrum.free.onto))
    free = replace(path.spectrum.free, onto=dear)
    path = replace(path, quadratic=replace(path.quadratic, spectrum=replace(path.spectrum, free=free)))
    one = study_of(path, alpha=0.01)
    _ = one.audit
    before = dear.columns
    one.save(tmp_path / "s.safetensors")
    assert dear.columns - before <= 3
    other = es.load(tmp_path / "s.safetensors")
    assert isinstance(other.path.spectrum.free.onto, Remembered)
    assert_allclose(other.coef(), one.coef(), rtol=1e-5, atol=1e-7)
    assert other.summary() == one.summary()
    with pytest.raises(es.InputError, match=r"30 weights are not penalised.*at the chosen strength only"):
        other.coef(0.5)
    other.save(tmp_path / "t.safetensors")
    assert (tmp_path / "t.safetensors").read_bytes() == (tmp_path / "s.safetensors").read_bytes()


# --- what is gone -------------------------------------------------------------------------------------


def test_what_needs_the_network_says_so(again):
    other = again("perceptron")
    assert other.path.measure is None
    with pytest.raises(es.InputError, match=r"holds no network: make it again with en\.study"):
        other.curvature.matvec(np.zeros(43))


def test_leave_one_out_is_kept_as_a_table(tmp_path):
    one = study_of(network_of(Rows(True, rows=200, judges=0, spread=3.0), 0.005), loss="logistic")
    assert not one.path.calibration.trivial
    one.save(tmp_path / "loo.safetensors")
    other = es.load(tmp_path / "loo.safetensors")
    curve = one.risk["loo"]
    assert set(other.risk) == set(one.risk)
    low, high = one.path.trusted
    inside = np.geomspace(low, high, 41)
    assert_allclose(other.risk["loo"](inside), curve(inside), rtol=1e-6)
    assert_allclose(other.risk["loo"].derivative(inside), curve.derivative(inside), rtol=1e-3, atol=1e-6)
    assert np.isnan(other.risk["loo"]([0.99 * low, 1.01 * high])).all()
    assert other.risk["loo"].minimum.alpha == pytest.approx(curve.minimum.alpha, rel=1e-4)
    assert other.risk["loo"].unit == curve.unit
    other.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "loo.safetensors").read_bytes()


# --- the file -----------------------------------------------------------------------------------------


def test_the_file_is_safetensors_with_json_in_its_header(again, folder):
    again("perceptron")
    with safe_open(folder / "perceptron.safetensors", framework="numpy") as file:
        meta = json.loads(file.metadata()[network.KEY])
        assert meta["format"] == network.FORMAT
        assert meta["parameters"] == [[name, list(shape)] for name, shape in SHAPES]
        assert_array_equal(file.get_tensor("weights"), study("perceptron").path.fit.weights)


def test_missing_safetensors_is_said(monkeypatch, again, folder, tmp_path):
    again("ridge")
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(es.MissingExtra, match=r"safetensors is needed.*eigenshrink\[torch\]"):
        study("ridge").save(tmp_path / "a.safetensors")
    with pytest.raises(es.MissingExtra, match=r"eigenshrink\[torch\]"):
        es.load(folder / "ridge.safetensors")
    assert list(tmp_path.iterdir()) == []


def changed(folder, tmp_path, **meta):
    """The file of the ridge study with other words in its header."""
    with safe_open(folder / "ridge.safetensors", framework="numpy") as file:
        words = json.loads(file.metadata()[network.KEY]) | meta
        names = file.keys()
        arrays = {name: file.get_tensor(name) for name in names}
    save_file(arrays, tmp_path / "changed.safetensors", metadata={network.KEY: json.dumps(words)})
    return tmp_path / "changed.safetensors"


def test_formats_of_the_future_are_refused(again, folder, tmp_path):
    again("ridge")
    path = changed(folder, tmp_path, format=99, version="9.1")
    with pytest.raises(es.InputError, match=r"format 99, this version reads 2.*eigenshrink 9\.1"):
        es.load(path)


@pytest.mark.parametrize(
    "meta",
    [
        {"sums": {"kind": "pickled"}},
        {"house": {}},
        {"layers": [["only a name"]]},
        {"notes": {"surprise": 1}},
        {"parameters": 3},
        {"tables": {"loo": "log loss"}},
    ],
)
def test_words_that_do_not_fit_are_refused(meta, again, folder, tmp_path):
    again("ridge")
    with pytest.raises(es.InputError, match="is no study saved by eigenshrink"):
        es.load(changed(folder, tmp_path, **meta))


def test_other_files_are_refused(again, folder, tmp_path):
    again("ridge")
    whole = (folder / "ridge.safetensors").read_bytes()
    save_file({"weights": np.zeros(3)}, tmp_path / "weights.safetensors")
    others = {
        "cut": whole[: len(whole) // 2],
        "head": whole[:9],
        "empty": b"",
        "text": b"weights = 3",
        "long": b"\xff" * 8 + b"{}",
        "pickle": b"\x80\x04K\x01.",
    }
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
    for name in (*others, "weights.safetensors"):
        with pytest.raises(es.InputError, match="is no study saved by eigenshrink"):
            es.load(tmp_path / name)
    with pytest.raises(es.InputError, match="cannot read"):
        es.load(tmp_path / "nowhere")


def test_a_failed_save_leaves_nothing(tmp_path):
    one = perceptron(alpha=0.02)
    strange = replace(one.path, make_sums=lambda: object())
    broken = study_of(replace(strange, measure=None, measured=one.path.measured), SHAPES, alpha=0.02)
    with pytest.raises((es.InputError, AttributeError)):
        broken.save(tmp_path / "a.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_said_in_words(tmp_path):
    with pytest.raises(es.InputError, match="No such file or directory"):
        study("perceptron").save(tmp_path / "missing" / "study.safetensors")
    assert not list(tmp_path.iterdir())
