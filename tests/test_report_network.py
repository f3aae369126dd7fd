"""The page and the numbers of a network: its parts, valid and without a dictionary of weights."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import jsonschema
import numpy as np
import pytest
from numpy.testing import assert_allclose

from eigenshrink.path import TrainingNotes
from eigenshrink.plots.text import number
from eigenshrink.report.charts import charts_of
from eigenshrink.report.network.page import DIRECTIONS
from eigenshrink.report.page import PARTS, TITLES, make_page
from eigenshrink.report.pictures import TRAINED
from figure_studies import study as table_study
from network_studies import KINDS, SHAPES, perceptron_path, study, study_of
from report_pages import Page, rows, without_scripts

TOLD = ("given", "stopped early", "untrained decay", "nobody judges", "AdamW")  # in the summary
SHOWN = [kind for kind in KINDS if kind not in TOLD]
RAW = {"nan", "NaN", "inf", "-inf", "null", "None"}
pages: dict[str, str] = {}


def page_of(kind):
    if kind not in pages:
        pages[kind] = make_page(study(kind), ["a note"], "train.py:make")
    return pages[kind]


def plain(source):
    return Page(source).text.replace("\N{NO-BREAK SPACE}", " ")


def section(source, name):
    """What stands in a section."""
    found = re.search(rf'<section id="{name}">(.*?)</section>', source, re.DOTALL)
    return plain(found[1]) if found else ""


# --- the page -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SHOWN)
def test_the_page_is_valid_and_asks_for_nothing(kind):
    source = page_of(kind)
    page = Page(source)
    assert page.complaints == []
    assert not page.tags & {"iframe", "object", "embed", "link", "img", "form", "base", "image"}
    assert "http://" not in without_scripts(source)
    assert "https://" not in without_scripts(source)
    assert not RAW & set(re.findall(r"[-\w]+", page.text))
    assert len(source.encode()) < 3_000_000
    framed = [given["id"] for name, given in page.attributes if name == "figure"]
    assert framed[:2] == ["figure-contour", "figure-steps"]
    assert framed[2:] == [f"figure-{chart.name}" for chart in charts_of(study(kind))]


def test_the_page_has_the_sections_of_a_network_in_order():
    found = re.findall(r'<section id="(\w+)"', page_of("perceptron"))
    assert found == [name for name in TITLES if name != "coefficients"]
    assert "estimates" not in re.findall(r'<section id="(\w+)">', page_of("cannot tell"))
    assert set(PARTS["network"]) - set(PARTS["columns"]) == {"layers"}


def test_a_page_of_columns_has_no_layers():
    found = re.findall(r'<section id="(\w+)"', make_page(table_study("ten columns")))
    assert found == [name for name in TITLES if name not in ("layers", "notes")]


def test_the_answer_is_what_to_set():
    net, answer = study("perceptron"), section(page_of("perceptron"), "answer")
    assert answer.startswith(f"The answer Use weight_decay = {number(net.alpha)}")
    low, high = net.choice.interval
    assert f"Anything between {number(low, 2)} and {number(high, 2)} is as good." in answer
    assert "That is 1.9 times the 0.02 of its training." in answer
    assert f"{number(net.effective_parameters, 3)} of 43 parameters are in use" in answer
    low, high = net.path.trusted
    assert f"trusted from α = {number(low, 3)} to {number(high, 3)}" in answer
    table = rows(page_of("perceptron"), "Losses of the network")
    assert [row[0] for row in table] == [
        "trained, weight_decay = 0.02",
        f"chosen, weight_decay = {number(net.alpha)}",
    ]
    for row, alpha in zip(table, (0.02, net.alpha), strict=True):
        wanted = [
            net.path.effective_parameters(alpha),
            net.risk["train"](alpha),
            net.risk["validation"](alpha),
        ]
        assert row[1] == number(wanted[0], 3)
        assert row[2:4] == [number(value) for value in wanted[1:]]
        assert row[4] == f"{100 * (1 - net.risk['misclassified'](alpha)):.1f} %"


def test_a_page_says_when_nothing_can_be_told():
    for kind, best in (
        ("cannot tell", "As it was trained: weight_decay = 0.02"),
        ("free biases", "Lowest of what"),
    ):
        answer = section(page_of(kind), "answer")
        assert answer.startswith("The answer The model cannot tell from here")
        assert best in answer
    assert "at no strength, not even" in section(page_of("trusted nowhere"), "answer")


def test_what_to_type_is_for_the_optimisers():
    net, typed = study("perceptron"), section(page_of("perceptron"), "equivalents")
    assert f"torch.optim.SGD(groups, lr=…, weight_decay={net.alpha:.6g})" in typed
    assert f"torch.optim.Adam(groups, lr=…, weight_decay={net.alpha:.6g})" in typed
    assert f"en.L2Hook(optimizer, {net.alpha:.6g})" in typed
    assert "AdamW none: it minimises no loss with an L2 penalty" in typed
    notes = TrainingNotes("SGD", "decoupled", unit_factor=10.0, excluded=("head.bias",))
    other = study_of(perceptron_path(notes=notes), SHAPES, alpha=0.03)
    typed = section(make_page(other), "equivalents")
    assert "SGD that decays beside the momentum weight_decay=0.3" in typed
    assert "Not penalised: head.bias." in typed
    endless = study_of(perceptron_path(), SHAPES, alpha=np.inf)
    assert "An endless strength" in section(make_page(endless), "equivalents")


def test_layers_and_directions_are_tabulated():
    net, source = study("perceptron"), page_of("perceptron")
    table = rows(source, "Layers, in the order of the model")
    assert [row[0] for row in table] == ["hidden", "head"]
    used = net.path.effective_by_layer(net.alpha)
    for row, layer, each in zip(table, net.layers, used, strict=True):
        assert row[2] == str(layer.stop - layer.start)
        assert row[4] == number(each, 3)
        assert row[6] == number(net.hypergradient.by_group[layer.name], 2)
        assert row[7] == (net.hypergradient.advice(layer.name) or "–")
    table = rows(source, "Directions, the most curved first")
    assert len(table) == DIRECTIONS
    basis, values = net.spectrum.basis, net.spectrum.eigenvalues
    for place in (0, 11):
        row, loads = table[place], basis[:, place]
        assert row[:2] == [str(place + 1), number(values[place])]
        top = np.argsort(-np.abs(loads))[:3]
        assert row[5] == " ".join(f"{'−' if loads[j] < 0 else '+'}{net.weight_names[int(j)]}" for j in top)
        share = np.sum(loads[net.layers[0].places] ** 2)
        assert f"{100 * share:.0f} % hidden" in row[4]


def test_of_a_large_network_little_is_listed():
    source = page_of("wide")
    assert len(rows(source, "Layers, in the order of the model")) == 50
    assert len(rows(source, "Directions, the most curved first")) == DIRECTIONS
    assert "40 000 weights in 50 layers" in plain(source)


def test_names_of_layers_are_text():
    source = page_of("hostile layers")
    assert "<script>" not in without_scripts(source)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in source
    assert "\x00" not in source


def test_pictures_say_of_which_quadratic_they_are():
    text = plain(page_of("perceptron"))
    assert text.count(TRAINED) == 1
    assert TRAINED not in plain(make_page(table_study("ten columns")))


def test_the_same_study_gives_the_same_page():
    assert make_page(study("ridge"), ["a note"], "train.py:make") == page_of("ridge")


def test_the_page_is_written(tmp_path):
    study("ridge").report(tmp_path / "a.html", notes=["a note"], source="train.py:make")
    written = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert re.sub(r"<dt>made</dt><dd>[^<]*</dd>", "", written) == page_of("ridge")


# --- the numbers --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def schema():
    return json.loads(files("eigenshrink.schema").joinpath("result.schema.json").read_text(encoding="utf-8"))


def numbers(kind):
    return json.loads(json.dumps(study(kind).to_dict(), allow_nan=False))


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_fit_the_schema(kind, schema):
    jsonschema.validate(numbers(kind), schema)


def test_the_schema_tells_kinds_apart(schema):
    found, other = (
        numbers("ridge"),
        json.loads(json.dumps(table_study("ten columns").to_dict(), allow_nan=False)),
    )
    jsonschema.validate(other, schema)
    for wrong in (
        found | {"coefficients": {}, "intercept": 0.0},
        {key: value for key, value in found.items() if key != "layers"},
        {key: value for key, value in other.items() if key != "coefficients"},
        other | {"layers": []},
        found | {"layers": [{"name": "a"}]},
        found | {"trusted": [0.0]},
        found | {"training": found["training"] | {"decay_kind": "other"}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_numbers_are_those_of_the_study():
    net, found = study("perceptron"), numbers("perceptron")
    assert found["alpha"] | {"reason": ""} == {
        "chosen": net.alpha,
        "criterion": "validation",
        "reason": "",
        "boundary": "none",
        "interval": list(net.choice.interval),
        "optimism": net.choice.optimism,
        "corrected": net.choice.corrected,
        "weight_decay": net.alpha,
        "trained": 0.02,
    }
    assert found["trusted"] == list(net.path.trusted)
    measured = net.path.measured
    assert_allclose(found["measured"]["alphas"], measured.alphas)
    assert_allclose(found["measured"]["change"], measured.change)
    assert_allclose(found["measured"]["predicted"], measured.predicted)
    assert_allclose(found["measured"]["noise"], measured.noise)
    means = [net.path.measure.validation(net.path.weights(alpha)).mean for alpha in measured.alphas]
    assert_allclose(found["measured"]["validation"], means, rtol=1e-10)
    assert found["hypergradient"]["total"] == net.hypergradient.total
    assert [layer["hypergradient"] for layer in found["layers"]] == list(net.hypergradient.by_group.values())
    assert_allclose(
        [layer["effective_parameters"] for layer in found["layers"]],
        net.path.effective_by_layer(net.alpha),
    )
    assert_allclose(sum(layer["norm"] ** 2 for layer in found["layers"]), np.sum(net.coef() ** 2))
    assert found["effective_parameters_interval"] == [found["effective_parameters"]] * 2
    assert found["training"]["start_loss"] == net.path.start_loss
    assert found["training"]["weights"] == 43
    assert found["held_out"] == {"rows": 150, "source": "given"}


def test_intervals_and_what_is_not_known():
    wide, cannot, adamw = numbers("wide"), numbers("cannot tell"), numbers("AdamW")
    low, high = wide["effective_parameters_interval"]
    assert low < wide["effective_parameters"] < high
    assert wide["measured"] is None
    assert wide["hypergradient"] is None
    assert all(layer["hypergradient"] is None for layer in wide["layers"])
    assert cannot["alpha"]["criterion"] == "none"
    assert cannot["weights"]["sum"] is None
    assert adamw["alpha"]["weight_decay"] is None
    assert adamw["alpha"]["trained"] is None
    assert adamw["equivalents"]["torch.AdamW"] is None
    assert numbers("free biases")["alpha"]["boundary"] == "trusted"


def test_numbers_of_a_large_network_are_few():
    assert len(json.dumps(numbers("wide"))) < 60_000
