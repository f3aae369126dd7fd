"""``eigenshrink report``: the page of a folder made anew, and what it cannot be made of."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from cli_runs import check_schema, fit_once, outcomes, result_of, run
from eigenshrink.report.provenance import Origin
from network_studies import study as network_study
from report_pages import Page, rows, without_scripts


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    return fit_once(tmp_path_factory.mktemp("fitted"))[0]


@pytest.fixture
def folder(fitted, tmp_path):
    return shutil.copytree(fitted, tmp_path / "again")


def page_of(folder, name="report.html"):
    return (folder / name).read_text(encoding="utf-8")


def said(source, term):
    """What the page says of where it comes from."""
    found = re.search(rf"<dt>{term}</dt><dd>([^<]*)</dd>", source)
    return "" if found is None else found[1]


TERMS = ("source", "fingerprint of the data", "command", "made")


def test_the_page_is_made_anew(folder, capsys):
    before = page_of(folder)
    (folder / "report.html").unlink()
    code, out, err = run(capsys, "report", folder)
    assert (code, out.strip(), err) == (0, str(folder / "report.html"), "")
    after = page_of(folder)
    assert [said(after, term) for term in TERMS] == [said(before, term) for term in TERMS]
    assert all(said(before, term) for term in TERMS)
    for caption in ("Coefficients, in the units of the columns", "What each estimate would take"):
        assert rows(after, caption) == rows(before, caption)
    assert "60 rows read, 60 used" in Page(after).text


def test_other_places_and_the_screen(folder, capsys, monkeypatch):
    opened = []
    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    before = page_of(folder)
    target = folder / "other.html"
    code, out, err = run(capsys, "report", folder, "--output", target, "--open")
    assert (code, out.strip(), err) == (0, str(target), "")
    assert opened == [target.as_uri()]
    assert page_of(folder) == before
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    code, _, err = run(capsys, "report", folder, "--output", target, "--open")
    assert (code, "open " in err, len(opened)) == (0, True, 1)


def test_without_numbers_the_page_says_less(folder, capsys):
    (folder / "result.json").unlink()
    code, _, err = run(capsys, "report", folder)
    assert (code, "will not say where the rows came from" in err) == (0, True)
    assert [said(page_of(folder), term) for term in TERMS] == [""] * 4


def test_what_was_typed_stands_in_the_result_and_on_the_page(tmp_path, capsys):
    outcomes(60).select("size", "age", "price").write_csv(tmp_path / "a b.csv")
    out = tmp_path / "out"
    assert run(capsys, "fit", tmp_path / "a b.csv", "--target", "price", "--output", out)[0] == 0
    data = result_of(out)["data"]
    check_schema(result_of(out))
    assert data["command"] == f"eigenshrink fit '{tmp_path}/a b.csv' --target price --output {out}"
    assert re.fullmatch(r"[0-9a-f]{16}", data["fingerprint"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d", data["made"])
    assert said(page_of(out), "fingerprint of the data") == data["fingerprint"]
    assert said(page_of(out), "command").replace("&#x27;", "'") == data["command"]


def test_the_fingerprint_is_of_every_number(tmp_path, capsys):
    frame = outcomes(60).select("size", "age", "price")
    frame.write_csv(tmp_path / "a.csv")
    frame.write_parquet(tmp_path / "b.parquet")
    other = frame.to_dict(as_series=False)
    other["age"][59] += 1e-9
    type(frame)(other).write_parquet(tmp_path / "c.parquet")
    found = []
    for name in ("a.csv", "b.parquet", "c.parquet"):
        argv = ["fit", tmp_path / name, "--target", "price", "--output", tmp_path / name[0]]
        assert run(capsys, *argv)[0] == 0
        found.append(result_of(tmp_path / name[0])["data"]["fingerprint"])
    assert found[0] == found[1] != found[2]


def test_the_page_of_a_network(tmp_path, capsys):
    study = network_study("perceptron")
    study.save(tmp_path / "study.safetensors")
    data = {
        "source": "train:make",
        "rows_read": 240,
        "notes": [],
        "command": "eigenshrink network train:make",
    }
    numbers = json.dumps(study.to_dict() | {"data": data})
    (tmp_path / "result.json").write_text(numbers, encoding="utf-8")
    assert run(capsys, "report", tmp_path)[0] == 0
    page = page_of(tmp_path)
    assert said(page, "source") == "train:make"
    assert said(page, "command") == "eigenshrink network train:make"
    assert said(page, "fingerprint of the data") == ""
    assert "<script>" not in without_scripts(page)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: shutil.rmtree(folder), "there is no folder"),
        (lambda folder: (folder / "study.npz").unlink(), "holds no study.npz and no study.safetensors"),
        (lambda folder: (folder / "study.npz").write_bytes(b"x"), "is no study saved by eigenshrink"),
        (lambda folder: (folder / "result.json").write_text("{"), "cannot read"),
        (lambda folder: (folder / "result.json").write_text("[]"), "holds no result of eigenshrink"),
        (lambda folder: change(folder, alpha={"chosen": 7.0}), "says that α = 7.0 was chosen"),
        (lambda folder: change(folder, alpha=7.0), "different runs"),
    ],
)
def test_what_cannot_be_used_is_said(folder, capsys, spoil, message):
    before = page_of(folder)
    spoil(folder)
    code, out, err = run(capsys, "report", folder)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert message in err
    if (folder / "report.html").exists():
        assert page_of(folder) == before


@pytest.mark.parametrize("data", [7, {"notes": 3, "source": ["a"], "command": None}])
def test_strange_numbers_do_no_harm(folder, capsys, data):
    change(folder, data=data)
    assert run(capsys, "report", folder)[0] == 0
    assert Page(page_of(folder)).complaints == []


def test_the_page_goes_nowhere(folder, capsys):
    code, _, err = run(capsys, "report", folder, "--output", folder / "no" / "where.html")
    assert (code, "cannot write" in err) == (2, True)


def test_an_origin_says_only_what_is_known():
    assert list(Origin("a.csv").rows) == ["source", *TERMS[1:]]
    assert [value for value in Origin("a.csv").rows.values() if value] == ["a.csv"]


def change(folder, **keys):
    numbers = result_of(folder)
    (folder / "result.json").write_text(json.dumps(numbers | keys), encoding="utf-8")
