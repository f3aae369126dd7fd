"""The summary of a network: the decay to take, how far that can be told, its layers (M3, M13, M18, M19)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eigenshrink.data.digits import number
from eigenshrink.errors import NotConverged
from eigenshrink.path import TrainingNotes
from eigenshrink.path.products import krylov_path
from eigenshrink.plots import reading
from eigenshrink.report.network import words
from eigenshrink.report.network.layers import layer_facts, most_in_use
from eigenshrink.report.plain import LABEL, WIDTH
from eigenshrink.report.summary import PARTS
from eigenshrink.report.words import kind
from figure_studies import study as table_study
from network_studies import KINDS, SHAPES, perceptron, perceptron_path, study, study_of


def said(net, label):
    """What stands beside a label, in one line."""
    lines = net.summary().split("\n")
    start = next(place for place, line in enumerate(lines) if line.startswith(f"{label:<{LABEL}}"))
    rest = [line for line in lines[start + 1 :]]
    more = next(place for place, line in enumerate(rest) if not line.startswith(" " * LABEL))
    return " ".join(" ".join([lines[start][LABEL:], *rest[:more]]).split())


def rows(net):
    """The table of layers: name and cells."""
    lines = net.summary().split("\n")
    start = next(place for place, line in enumerate(lines) if line.startswith("layers, "))
    found = {}
    for line in lines[start + 2 :]:
        if line.startswith("  in use:"):
            return found
        name, *cells = line.split()
        found[name] = cells
    raise AssertionError("the table of layers has no end")


# --- parts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_every_line_is_short_and_says_no_nan(name):
    lines = study(name).summary().split("\n")
    assert max(map(len, lines)) <= WIDTH
    assert not {"nan", "inf", "None"} & {word.strip("(),;:.") for line in lines for word in line.split()}
    assert lines[0].startswith("eigenshrink: a network of ")
    assert lines[-1].strip()


def test_each_kind_of_study_has_its_parts():
    assert kind(study("ridge")) == "network"
    assert kind(table_study("ten columns")) == "columns"
    for name, other in (("network", study("ridge")), ("columns", table_study("ten columns"))):
        wanted = "\n".join(line for part in PARTS[name] for line in part(other))
        assert other.summary() == wanted


def test_the_opening_says_what_was_trained():
    opening = " ".join(study("perceptron").summary().split("\n\n")[0].split())
    assert "a network of 43 weights in 2 layers, trained on 240 rows by SGD at weight_decay = 0.02" in opening
    assert "150 other rows judge it" in opening
    assert "minimise L(w) + (α/2) Σ_j w_j²; L is the loss (cross entropy)" in opening
    assert "over the 35 weights that are penalised" in " ".join(study("free biases").summary().split())


def test_notes_of_the_training_are_said():
    notes = TrainingNotes("SGD", excluded=("a.bias", "b.bias"), frozen=("c",), remarks=("It was warm.",))
    opening = study_of(perceptron_path(notes=notes), SHAPES).summary()
    assert "not penalised: a.bias, b.bias; frozen: c" in opening
    assert "It was warm." in opening
    assert words.listed(tuple("abcdefgh")) == "a, b, c, d, e, f and 2 more"


# --- the strength -------------------------------------------------------------------------------------


def test_the_decay_is_in_the_number_of_the_optimiser():
    net = study("perceptron")
    assert said(net, "weight_decay").startswith(
        f"{net.alpha:.6g}, 1.9 times the 0.02 of its training; chosen by"
    )
    notes = TrainingNotes("SGD", "decoupled", unit_factor=10.0)
    other = study_of(perceptron_path(notes=notes), SHAPES)
    told = said(other, "weight_decay")
    assert told.startswith(f"{10 * other.alpha:.6g}, 1.9 times the 0.2 of its training")
    assert said(other, "strength α") == f"{other.alpha:.6g}"
    assert other.equivalents["torch.SGD.decoupled"] == pytest.approx(10 * other.alpha)
    assert other.equivalents["torch.SGD"] == other.equivalents["torch.Adam"] == other.alpha


def test_adamw_has_no_number():
    net = study("AdamW")
    assert "weight_decay = " not in net.summary()
    assert words.NO_UNIT in said(net, "α")
    assert net.equivalents["torch.AdamW"] is None


@pytest.mark.parametrize(
    ("alpha", "told"),
    [
        (0.02, "as it was trained"),
        (0.01, "0.5 times the 0.02 of its training"),
        (0.2, "10 times the 0.02 of its training"),
        (0.0, "0 times the 0.02 of its training"),
    ],
)
def test_a_strength_is_compared_with_the_one_of_the_training(alpha, told):
    assert words.change(perceptron(alpha=alpha)) == told


def test_training_without_decay_is_said():
    assert words.change(study("untrained decay")) == "it was trained without decay"
    assert words.change(study("AdamW")) == ""


def test_where_nothing_can_be_told_that_is_said():
    net = study("cannot tell")
    assert said(net, "weight_decay").startswith("0.02, as it was trained; the model cannot tell from here:")
    assert words.cannot_tell(net)
    assert words.cannot_tell(study("free biases"))
    assert "the model cannot tell from here" in said(study("free biases"), "interval of α")
    assert not words.cannot_tell(study("nobody judges"))
    assert not words.cannot_tell(study("given"))


# --- how far ------------------------------------------------------------------------------------------


def test_the_trusted_range_is_said():
    low, high = study("perceptron").path.trusted
    told = said(study("perceptron"), "trusted")
    assert told.startswith(f"from α = {number(low, 3)} to {number(high, 3)}: there the true loss and")
    assert told.endswith("its slope, measured along the path, are as the quadratic has them")
    assert said(study("ridge"), "trusted").startswith("every strength")
    assert said(study("untrained decay"), "trusted").startswith("up to α = ")
    assert said(study("trusted nowhere"), "trusted").startswith("no strength, not even where")
    assert said(study("wide"), "trusted") == words.UNMEASURED


@pytest.mark.parametrize("name", ["perceptron", "wide"])
def test_parameters_in_use_have_their_interval(name):
    net = study(name)
    found = net.path.effective_estimate(net.alpha)
    value, low, high = (number(float(each[0]), 3) for each in (found.value, found.low, found.high))
    interval = f" ({low} to {high})" if name == "wide" else ""
    total = " ".join(number(len(net.path.fit.penalty_factor)).split())
    assert said(net, "effective parameters") == f"{value}{interval} of {total} (0 not penalised)"


def test_directions_are_counted_among_all():
    net = study("perceptron")
    known = net.spectrum.eigenvalues
    kept, fading = (known > 9 * net.alpha).sum(), ((known > net.alpha / 9) & (known < 9 * net.alpha)).sum()
    assert said(net, "directions") == f"{kept} kept, {fading} fading, {43 - kept - fading} gone"
    assert sum(int(word) for word in words.directions(net).replace(",", "").split()[::2]) == 43


def test_losses_are_those_of_the_curves():
    net = study("perceptron")
    here, before = (float(net.risk["validation"](at)) for at in (net.alpha, 0.02))
    told = said(net, "validation loss")
    assert told.startswith(f"{here:.6g} (log loss), {1 - here / before:.1%} lower than {before:.6g}")
    assert f"{net.choice.corrected:.6g} corrected for having picked the minimum" in told
    right = 1 - net.risk["misclassified"](net.alpha)
    assert said(net, "correctly classified") == f"{100 * right:.1f} % of the rows that judge"
    train, start = float(net.risk["train"](net.alpha)), net.path.start_loss
    assert said(net, "training loss") == f"{train:.6g} (log loss); {start:.6g} as it was trained"
    assert "validation loss" not in study("nobody judges").summary()


def test_a_strength_beyond_what_is_trusted_has_no_losses():
    net = perceptron(alpha=1000.0)
    assert said(net, "validation loss") == "not known at this strength (log loss)"
    assert said(net, "training loss").startswith("not known at this strength")


# --- layers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["perceptron", "free biases", "nobody judges"])
def test_layers_are_those_of_the_path(name):
    net, table = study(name), rows(study(name))
    used, slopes = net.path.effective_by_layer(net.alpha), net.path.hypergradient
    for place, layer in enumerate(net.layers):
        kind_, size, norm, in_use, kept, *way = table[layer.name]
        penalised = int((net.path.fit.penalty_factor[layer.places] > 0).sum())
        assert (kind_, int(size)) == ("Linear", layer.stop - layer.start)
        assert float(norm) == pytest.approx(np.linalg.norm(net.coef()[layer.places]), rel=1e-3)
        assert float(in_use) == pytest.approx(used[place], rel=6e-3)
        assert float(kept.rstrip("%")) == pytest.approx(100 * used[place] / penalised, rel=6e-3)
        if slopes is None:
            assert way == []
        else:
            assert float(way[0]) == pytest.approx(slopes.by_group[layer.name], rel=6e-2)
            assert way[1] == (slopes.advice(layer.name) or "-")


def test_the_wish_of_the_whole_network():
    assert said(study("perceptron"), "more or less decay").startswith("more decay lowers the validation loss")
    assert "more or less decay" not in study("nobody judges").summary()


def test_a_slope_that_cannot_be_solved_for_stops_nothing(monkeypatch):
    net = perceptron()

    why = "the hypergradient needs more than 500 products: use curvature='ggn'"

    def fails(path):
        raise NotConverged(why)

    monkeypatch.setattr("eigenshrink.path.krylov.hypergradient", fails)
    assert "more or less decay" not in net.summary()
    assert reading.slopes(net) == (
        None,
        "the hypergradient needs more than 500 products: use curvature='ggn'",
    )
    _, second = net.plot.layers()
    assert "500 products" in " ".join(text.get_text() for text in second.texts).replace("\n", " ")
    assert net.to_dict()["hypergradient"] is None


def test_of_many_layers_those_most_in_use_are_listed():
    every = layer_facts(study("wide"))
    shown = most_in_use(every, 20)
    assert list(rows(study("wide"))) == [one.name for one in shown]
    assert min(one.used for one in shown) >= sorted(one.used for one in every)[-20]
    assert [one.name for one in shown] == sorted((one.name for one in shown), key=lambda name: int(name[5:]))


def test_a_layer_without_penalty_is_free():
    path = perceptron_path()
    d = path.fit.penalty_factor.copy()
    d[path.layers[1].places] = 0.0
    free = krylov_path(replace(path.fit, penalty_factor=d), path.layers, None, path.start_loss)
    net = study_of(free, SHAPES, alpha=0.02)
    assert rows(net)["head"][4] == "free"
    assert np.isnan(layer_facts(net)[1].kept)
