"""browser/study.js on the record of real studies: what a page says at any strength is what Python says."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_breast_cancer, load_diabetes

import eigenshrink as es
import network_studies
from eigenshrink.browser import source
from eigenshrink.plots.plane import plane_of
from eigenshrink.plots.reading import seen
from eigenshrink.report.live import as_script, live_record
from oracles import CASES, make

SCRIPTS = ("maths.js", "study.js")
ASK = """([text, calls]) => {
  const plain = (value) => ArrayBuffer.isView(value) ? Array.from(value, plain)
    : value !== null && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
    : typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  const opened = () => ({ text, study: live.open(JSON.parse(text)) });
  globalThis.known = globalThis.known && known.text === text ? known : opened();
  const real = (value) => (value === "Infinity" ? Infinity : value);
  return calls.map(([name, ...args]) => plain(typeof known.study[name] === "function"
    ? known.study[name](...args.map(real)) : known.study[name]));
}"""


@pytest.fixture(scope="module")
def engine(chromium):
    """``engine(study)(name, *arguments)`` asks the script what it knows of a study."""
    page = chromium.new_page()
    for name in SCRIPTS:
        page.add_script_tag(content=source(name))

    def opened(study):
        text = as_script(live_record(study))
        return lambda *calls: page.evaluate(
            ASK, [text, [["Infinity" if part == np.inf else part for part in call] for call in calls]]
        )

    return opened


def inside(study, count=5):
    """Strengths that no table holds."""
    grid = study.alphas[np.isfinite(study.alphas) & (study.alphas > 0)]
    return np.geomspace(grid[2], grid[-3], count) * 1.0123


def numbers(values):
    return np.array([float(value) for value in np.ravel(values)]).reshape(np.shape(values))


@pytest.mark.parametrize("case", CASES)
def test_squared_loss_is_computed_again(engine, case):
    study = make(3, **CASES[case]).study()
    ask, targets = engine(study), min(len(study.target_names), 8)
    alphas = [0.0, *inside(study), np.inf]
    places = [one["place"] for one in ask(["columns"])[0]]
    for target in range(targets):
        states = ask(*(["state", target, float(a)] for a in alphas))
        for alpha, state in zip(alphas, states, strict=True):
            assert float(state["gamma"]) == pytest.approx(study.path.effective_parameters(alpha), rel=1e-10)
            for name in ("train", "gcv", "evidence"):
                wanted = np.ravel(study.risk[name](alpha))[target]
                assert_allclose(float(state["criteria"][name]), wanted, rtol=1e-9, err_msg=name)
            assert_allclose(float(state["norm"]), np.ravel(study.path.norm(alpha))[target], rtol=1e-9)
            if study.facts.fit_intercept:
                wanted = np.ravel(study.path.intercept(alpha))[target]
                assert_allclose(float(state["intercept"]), wanted, rtol=1e-8, atol=1e-8)
        found = numbers(ask(*(["coefficients", target, float(a)] for a in alphas)))
        wanted = np.reshape(study.coef(np.array(alphas)), (len(alphas), len(study.target_names), -1))
        assert_allclose(found, wanted[:, target][:, places], rtol=1e-9, atol=1e-9)


def logistic():
    X, y = load_breast_cancer(return_X_y=True)
    return es.study((X - X.mean(0)) / X.std(0), y, loss="logistic")


def test_tables_are_as_exact_as_they_say(engine):
    study = logistic()
    ask, alphas = engine(study), inside(study, 7)
    told = {one["what"]: one["error"] for one in ask(["how"])[0]}
    states = ask(*(["state", 0, float(a)] for a in alphas))
    for name, label in (("loo", "leave-one-out"), ("evidence", "evidence"), ("train", "training error")):
        curve = study.risk[name]
        size = np.ptp(curve(study.alphas[study.alphas >= study.path.lowest]))
        apart = np.abs([float(state["criteria"][name]) for state in states] - curve(alphas)).max() / size
        assert apart <= 3 * told[label] + 1e-9, name
    gamma = np.array([float(state["gamma"]) for state in states])
    assert_allclose(gamma, study.path.effective_parameters(alphas), rtol=1e-4)
    found = numbers(ask(*(["coefficients", 0, float(a)] for a in alphas)))
    places = [one["place"] for one in ask(["columns"])[0]]
    wanted = study.coef(alphas)[:, places]
    assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("kind", ["perceptron", "free biases", "wide"])
def test_a_network_moves_along_its_path(engine, kind):
    study = network_studies.study(kind)
    ask, path = engine(study), study.path
    low, high = (end for end in path.trusted)
    alphas = np.geomspace(max(low, study.alphas[3]), min(high, study.alphas[-3]), 5) * 1.0001
    places = [one["place"] for one in ask(["columns"])[0]]
    found = numbers(ask(*(["coefficients", 0, float(a)] for a in alphas)))
    wanted = np.asarray(path.weights(alphas))[:, places]
    assert_allclose(found, wanted, atol=1e-6 * np.abs(wanted).max())
    states = ask(*(["state", 0, float(a)] for a in alphas))
    gamma = [float(state["gamma"]) for state in states]
    assert_allclose(gamma, path.effective_parameters(alphas), rtol=1e-3)
    endless = ask(["state", 0, np.inf])[0]
    assert float(endless["gamma"]) == pytest.approx(path.effective_parameters(np.inf), abs=1e-9)
    assert float(endless["norm"]) == pytest.approx(path.norm(np.inf), abs=1e-9)
    layers = ask(*(["layers", float(a)] for a in alphas))
    used = np.array([[float(one["used"]) for one in each] for each in layers])
    assert_allclose(used, path.effective_by_layer(alphas), rtol=2e-3, atol=1e-3)
    assert numbers(ask(["trusted"])[0]) == pytest.approx(path.trusted)


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return es.study(X, y)


def test_planes_of_directions_are_those_of_the_figures(engine):
    study = diabetes()
    ask, alpha = engine(study), float(study.alpha)
    for one in ask(["planes", 0])[0]:
        if one["kind"] != "directions":
            continue
        pair = tuple(int(part) for part in one["id"][1:].split("-"))
        plane = plane_of(seen(study, alpha), 0, alpha, None, pair)
        found = ask(["plane", 0, one["id"], 2.5 * alpha])[0]
        assert_allclose(found["solution"], plane.solution(2.5 * alpha), rtol=1e-10, atol=1e-12)
        assert_allclose(found["minimiser"], plane.centre, rtol=1e-10)


def test_a_plane_of_two_weights_touches_in_the_pair_of_the_whole_model(engine):
    study = diabetes()
    ask = engine(study)
    columns = ask(["columns"])[0]
    picked = [one for one in ask(["planes", 0])[0] if one["kind"] == "columns"]
    assert len(picked) == 15
    for one in picked[:4]:
        pair = [columns[int(part)]["place"] for part in one["id"][1:].split("-")]
        for alpha in (0.3 * float(study.alpha), float(study.alpha)):
            plane = plane_of(seen(study, alpha), 0, alpha, pair, None)
            found = ask(["plane", 0, one["id"], alpha])[0]
            assert_allclose(found["solution"], study.coef(alpha)[pair], rtol=1e-9)
            assert_allclose(found["eigenvalues"], plane.eigenvalues, rtol=1e-9)
            assert_allclose(found["minimiser"], plane.centre, rtol=1e-7)


def test_survival_counts_every_direction(engine):
    study = diabetes()
    ask = engine(study)
    for alpha in (0.0, *inside(study), np.inf):
        found = ask(["survival", 0, float(alpha)])[0]
        kept = np.asarray(study.path.shrinkage(alpha))
        assert found["kept"] == int((kept >= 0.9).sum())
        assert found["kept"] + found["fading"] + found["gone"] == len(kept)
    net = network_studies.study("perceptron")
    found = engine(net)(["survival", 0, float(net.alpha)])[0]
    assert sum(found.values()) == len(net.path.fit.penalised)


def test_a_name_that_is_markup_stays_text(engine):
    X, y = load_diabetes(return_X_y=True)
    name = "</script><script>alert(1)</script>"
    study = es.study(X, y, feature_names=[name, *"abcdefghi"])
    text = as_script(live_record(study))
    assert "<" not in text
    assert name in json.loads(text)["columns"]["names"]
    assert name in [one["name"] for one in engine(study)(["columns"])[0]]


def test_rows_are_those_of_the_study(engine):
    study = diabetes()
    found = engine(study)(["residuals", 0])[0]
    X, y = load_diabetes(return_X_y=True)
    assert_allclose(numbers(found["fitted"]) + numbers(found["residual"]), y, rtol=1e-6)
    assert found["row"] == list(range(len(y)))
    assert numbers(found["leverage"]).sum() == pytest.approx(study.effective_parameters, rel=1e-5)
    assert study.predict(X) == pytest.approx(numbers(found["fitted"]), rel=1e-5)
