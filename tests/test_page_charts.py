"""The charts of the page in a real browser: what they show is what the study says (M5, M7-M9, M14, M18)."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest

import eigenshrink as es
import figure_studies
from chart_pages import (
    MADE,
    TALL,
    charted,
    charted_files,
    charted_shared,
    charted_study,
    charts_for,
    columns,
    go,
    model,
)
from eigenshrink.errors import MissingExtra
from eigenshrink.plots import reading
from eigenshrink.plots.coefficients import scale_of
from eigenshrink.report.charts import CHARTS, bokeh_js, charts_of, script_and_divs

__all__ = ["charted", "charted_files", "charted_shared"]
SQUARED = ("risk", "shrinkage", "coefficients", "optimism", "effective_parameters", "residuals")
NETWORK = ("risk", "trusted", "shrinkage", "effective_parameters", "layers", "slopes")
BETWEEN = (3.7e-4, 0.0213, 5.551)  # strengths that are in no table
SHADES = """async (name) => {
  const image = await createImageBitmap(await charts.export(name, "png"));
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return new Set(pixels).size;
}"""


# --- in Python ----------------------------------------------------------------------------------------


def test_each_kind_of_study_has_the_charts_that_it_can_have():
    assert tuple(chart.name for chart in charts_for("ten")) == SQUARED
    assert tuple(chart.name for chart in charts_for("network")) == NETWORK
    assert {*SQUARED, *NETWORK} == set(CHARTS)


def test_a_loaded_study_has_no_rows(tmp_path):
    charted_study("ten").save(tmp_path / "study.npz")
    assert "residuals" not in [chart.name for chart in charts_of(es.load(tmp_path / "study.npz"))]


def test_the_same_study_gives_the_same_text_and_boxes():
    first, second = (script_and_divs(charts_of(charted_study("ten"))) for _ in range(2))
    assert first == second
    items = json.loads(
        re.fullmatch(r"<script type=.application/json. id=.charts.>(.*)</script>", first[0])[1]
    )
    assert [item["target_id"] for item in items] == [f"chart-{name}" for name in SQUARED]
    assert all('aria-hidden="true"' in box for box in first[1].values())


def test_every_chart_has_its_words():
    for kind in ("ten", "network"):
        for chart in charts_for(kind):
            assert chart.title
            assert len(chart.alternative) > 40
            assert len(chart.how_to_read) > 100


def test_what_is_not_drawn_is_said():
    said = {chart.name: chart.how_to_read for chart in charts_for("many")}
    assert "Of 540 columns at most 60 are drawn" in said["coefficients"]
    assert "Of 540 directions 500 are drawn" in said["shrinkage"]
    rows = np.random.default_rng(0).normal(size=(2100, 2))
    tall = {chart.name: chart.how_to_read for chart in charts_of(es.study(rows, rows[:, 0]))}
    assert "Of 2\N{NO-BREAK SPACE}100 rows at most 2000 are drawn" in tall["residuals"]
    assert " are drawn" not in tall["coefficients"] + tall["shrinkage"]


def test_bokeh_is_loaded_when_a_figure_is_made_and_missed_in_words(monkeypatch):
    asked = (
        "import sys, eigenshrink.report.charts; print(any(name.startswith('bokeh') for name in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
    for name in ("bokeh", "bokeh.plotting", "bokeh.resources"):
        monkeypatch.setitem(sys.modules, name, None)
    for make in (bokeh_js, lambda: charts_of(charted_study("ten"))):
        with pytest.raises(MissingExtra, match=r"eigenshrink\[app\]"):
            make()


# --- drawn --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in MADE if kind not in ("many", "polynomial")])
def test_every_chart_of_every_kind_is_drawn_at_every_strength(charted, kind):
    page, _ = charted(kind)
    names = [chart.name for chart in charts_for(kind)]
    assert page.evaluate("charts.names()") == names
    for alpha in (0.0, 0.013, np.inf):
        go(page, alpha=alpha)
    for name in names:
        assert page.evaluate(SHADES, name) > 30, name  # an empty picture has one, words alone about twenty
        table = page.evaluate("(name) => charts.table(name)", name)
        assert table["heads"]
        assert all(len(row) == len(table["heads"]) for row in table["rows"])


def test_an_empty_picture_has_one_shade(charted):
    page, _ = charted("ten", viewport=TALL)
    page.evaluate("panels.risk.view.export = () => ({ canvas: new OffscreenCanvas(50, 50) })")
    assert page.evaluate(SHADES, "risk") == 1


# --- numbers ------------------------------------------------------------------------------------------


def test_criteria_are_those_of_the_study(charted):
    page, study = charted("polynomial")
    for alpha in BETWEEN:
        go(page, alpha=alpha)
        names = page.evaluate(
            "panels.risk.sheet.once('curves', 0).map((curve) => [curve.name, curve.side, curve.lift])"
        )
        for side in ("left", "right"):
            points = columns(page, "risk", f"points-{side}")
            found = [(name, lift) for name, where, lift in names if where == side]
            np.testing.assert_allclose(points["x"], np.log10(alpha))
            for y, (name, lift) in zip(points["y"], found, strict=True):
                curve = study.risk[name]
                assert lift == (float(curve.minimum.value) if side == "right" else 0)
                rtol = 1e-6 if name in ("train", "gcv", "cp") else 1e-4  # the others are tables
                np.testing.assert_allclose(y + lift, float(curve(alpha)), rtol=rtol)
        assert {name for name, *_ in names} == set(study.risk) - {"optimism", "kfold"}


def test_curves_bands_minima_and_interval_are_those_of_the_study(charted):
    page, study = charted("ten")
    lines = columns(page, "risk", "line-loo")
    np.testing.assert_allclose(lines["y"], study.risk["loo"](10 ** lines["x"]), rtol=1e-9)
    band, loo = columns(page, "risk", "band"), study.risk["loo"]
    half = 0.5 * (band["high"] - band["low"])
    judge = study.risk[study.choice.criterion]
    np.testing.assert_allclose(half, 1.96 * judge.standard_error(10 ** band["x"]), rtol=1e-3, atol=1e-6)
    least = columns(page, "risk", "least-left")
    assert float(loo.minimum.value) in least["y"]
    np.testing.assert_allclose(
        np.log10(float(loo.minimum.alpha)), least["x"][list(least["y"]).index(loo.minimum.value)]
    )
    ends = model(page, "risk", "interval", "left", "right")
    reach = page.evaluate("[study.low, study.high]")
    np.testing.assert_allclose(10 ** np.array(ends), np.clip(study.choice.interval, *reach))


def test_coefficients_directions_and_parameters_are_those_of_the_study(charted):
    page, study = charted("polynomial")
    for alpha in BETWEEN:
        go(page, alpha=alpha)
        scale, _ = scale_of(study)
        here = dict(zip(study.weight_names, study.coef(alpha) * scale, strict=True))
        points = columns(page, "coefficients", "points")
        np.testing.assert_allclose(points["y"], [here[name] for name in points["name"]], rtol=1e-6)
        largest = np.argsort(-np.abs(study.coef() * scale))[:8]
        assert list(points["name"]) == [study.weight_names[place] for place in largest]
        gamma = columns(page, "effective_parameters", "points")
        np.testing.assert_allclose(gamma["y"], study.path.effective_parameters(alpha), rtol=1e-6)
        values, seen = study.spectrum.eigenvalues, {}
        for name, low, high in (("kept", 0.9, 1.1), ("fading", 0.1, 0.9), ("gone", -1, 0.1)):
            dots = columns(page, "shrinkage", name)
            share = 10 ** dots["x"] / (10 ** dots["x"] + alpha)
            np.testing.assert_allclose(dots["y"], share, rtol=1e-6)
            assert np.all((share >= low) & (share <= high))
            seen |= dict(zip(dots["number"].astype(int) - 1, 10 ** dots["x"], strict=True))
        np.testing.assert_allclose([seen[place] for place in range(len(values))], values, rtol=1e-9)


def test_training_error_optimism_and_true_error_add_up(charted):
    page, study = charted("ten")
    for alpha in BETWEEN:
        go(page, alpha=alpha)
        points = columns(page, "optimism", "points")
        np.testing.assert_allclose(points["x"], study.path.effective_parameters(alpha), rtol=1e-6)
        found = dict(zip(points["what"], points["y"], strict=True))
        np.testing.assert_allclose(found["training error"], study.risk["train"](alpha), rtol=1e-6)
        np.testing.assert_allclose(found["true error"], study.risk["loo"](alpha), rtol=1e-4)
        np.testing.assert_allclose(
            found["training error"] + found["optimism"], found["true error"], rtol=1e-3
        )
        assert page.evaluate("known('optimism', 'now-line').location") == points["x"][0]


def test_rows_are_those_of_the_fit(charted):
    page, study = charted("ten")
    parts = [columns(page, "residuals", kind) for kind in ("usual", "pulling")]
    row = np.concatenate([part["row"] for part in parts]).astype(int)
    fitted, residual = (np.concatenate([part[axis] for part in parts]) for axis in "xy")
    X, _, y, *_ = figure_studies.diabetes()
    np.testing.assert_allclose(fitted, (X @ study.coef() + study.intercept())[row], rtol=1e-6)
    np.testing.assert_allclose(residual, y[row] - fitted, atol=1e-4)
    centred = (X - X.mean(axis=0)) / X.std(axis=0)
    gram = centred.T @ centred + len(X) * float(study.alpha) * np.eye(X.shape[1])
    leverage = 1 / len(X) + np.einsum("ij,ij->i", centred, np.linalg.solve(gram, centred.T).T)
    size = 5 + 13 * np.sqrt(leverage / leverage.max())
    np.testing.assert_allclose(np.concatenate([part["size"] for part in parts]), size[row], rtol=1e-5)
    assert set(parts[1]["row"].astype(int)) == set(np.flatnonzero(leverage > 3 * leverage.mean()))


def test_several_classes_have_errors_over_leverage(charted):
    page, study = charted("classes")
    parts = [columns(page, "residuals", kind) for kind in ("usual", "pulling")]
    row = np.concatenate([part["row"] for part in parts]).astype(int)
    error = np.concatenate([part["y"] for part in parts])
    X, _, y, *_ = figure_studies.diabetes()
    eta = X[:, :4] @ study.coef().T + study.intercept()
    own = eta[np.arange(len(y)), np.digitize(y, [100, 180])] - np.log(np.exp(eta).sum(axis=1))
    np.testing.assert_allclose(error, np.sqrt(-2 * own)[row], rtol=1e-5)
    leverage = np.concatenate([part["leverage"] for part in parts])
    across = np.concatenate([part["x"] for part in parts])
    np.testing.assert_allclose(
        across, [float(str(each).replace("\N{MINUS SIGN}", "-")) for each in leverage], rtol=1e-2
    )
    said = next(chart.how_to_read for chart in charts_for("classes") if chart.name == "residuals")
    assert "probability of one half" in said


def test_a_network_shows_what_was_measured_and_its_layers(charted):
    page, study = charted("network")
    found, dots = study.path.measured, columns(page, "trusted", "measured")
    np.testing.assert_allclose(dots["x"], np.log10(found.alphas))
    np.testing.assert_allclose(dots["y"], found.change)
    np.testing.assert_allclose(columns(page, "trusted", "noise")["high"] - found.change, 1.96 * found.noise)
    np.testing.assert_allclose(
        10.0 ** np.array(model(page, "trusted", "trusted", "left", "right")), study.path.trusted, rtol=1e-9
    )
    go(page, alpha=0.05)
    bars = columns(page, "layers", "used")
    np.testing.assert_allclose(10 ** bars["right"], study.path.effective_by_layer(0.05), rtol=1e-3)
    slopes = columns(page, "slopes", "bars")
    by_group = reading.slopes(study)[0].by_group
    np.testing.assert_allclose(slopes["right"], [by_group[name] for name in slopes["name"]], rtol=1e-9)


def test_tables_hold_the_present_numbers(charted):
    page, study = charted("ten")
    go(page, alpha=0.0213)
    table = page.evaluate("charts.table('risk')")
    place = next(i for i, head in enumerate(table["heads"]) if head.startswith("GCV"))
    now = next(row for row in table["rows"] if row[0] == 0.0213)
    np.testing.assert_allclose(now[place], study.risk["gcv"](0.0213), rtol=1e-6)
    first = page.evaluate("charts.table('coefficients').rows[0]")
    largest = np.abs(study.coef(0.0213)).argmax()
    assert first[0] == study.weight_names[largest]
    np.testing.assert_allclose(first[1:], [study.coef(0.0213)[largest], study.coef()[largest]], rtol=1e-6)
