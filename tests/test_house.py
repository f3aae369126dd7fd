"""The house keeps its own rules: formulas exist, imports point backwards, names resolve, files stay short."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import TypedDict, Unpack

import pytest

import eigenshrink
from house_rules import (
    FILE_LINES,
    FUNCTION_LINES,
    HEAVY,
    PACKAGE,
    ROOT,
    accepted,
    docstring_complaints,
    documented,
    formulas,
    forward_imports,
    import_circles,
    loaded_by,
    missing_places,
    public_things,
    python_files,
    too_long,
    unknown_formulas,
)

MATHS = (ROOT / "docs" / "maths.md").read_text(encoding="utf-8")


def test_the_mathematics_has_all_its_numbers():
    assert formulas(MATHS) == set(range(1, 21))


def test_every_cited_formula_exists():
    cited = {
        path: unknown_formulas(path.read_text("utf-8"), formulas(MATHS))
        for path in python_files("src", "tests", "benchmarks")
    }
    assert {str(path): wrong for path, wrong in cited.items() if wrong} == {}


def test_the_mathematics_names_places_that_exist():
    assert missing_places(MATHS, PACKAGE) == []


def test_imports_point_backwards_only():
    assert forward_imports(PACKAGE) == []


def test_no_modules_import_each_other_in_a_circle():
    assert import_circles(PACKAGE) == []


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import eigenshrink") & (HEAVY | {"typer", "rich"}) == set()


def test_importing_the_command_line_loads_no_arrays_and_no_figures():
    assert loaded_by("import eigenshrink.cli") & HEAVY == set()


@pytest.mark.parametrize("name", eigenshrink.__all__)
def test_public_name_resolves(name):
    assert getattr(eigenshrink, name) is not None
    assert name in dir(eigenshrink)


def test_public_docstrings_describe_the_signature():
    assert [line for name, thing in public_things() for line in docstring_complaints(name, thing)] == []


def test_files_and_functions_stay_short():
    files = python_files("src", "tests", "benchmarks")
    assert [line for path in files for line in too_long(path.read_text("utf-8"), path.name)] == []


# --- the rules can complain ---------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path):
    def build(**files: str) -> Path:
        for name, text in {"__init__": "", **files}.items():
            path = tmp_path / f"{name.replace('__in__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return build


def test_unknown_formulas_are_found():
    assert formulas("### M3 · Update\n### M4\ntext M5 · no") == {3}
    assert unknown_formulas(f"cites M{3} and (M{99}), not RM{7} nor M{1}x", {3}) == {99}


def test_missing_places_are_found(house):
    text = "*In the code:* `fit.py` (`x.y`), `risk/`, `gone.py`.\nelsewhere `other.py`"
    assert missing_places(text, house(fit="")) == ["risk/", "gone.py"]


@pytest.mark.parametrize(
    "statement",
    [
        "import eigenshrink.path",
        "from eigenshrink.path import weights",
        "from eigenshrink import path",
        "from .path import weights",
        "from . import path",
        "def f():\n    from eigenshrink.path import weights",
        "import importlib\nimportlib.import_module('eigenshrink.path')",
        "import typing\nif typing.TYPE_CHECKING:\n    pass\nelse:\n    import eigenshrink.path",
    ],
)
def test_forward_imports_are_found(house, statement):
    (complaint,) = forward_imports(house(fit=statement, path=""))
    assert "imports path, which comes after it" in complaint
    assert forward_imports(house(fit="", path=statement.replace("path", "fit"))) == []


def test_relative_imports_inside_a_room_are_resolved(house):
    package = house(
        data__in____init__="", data__in__rows="from ..path import x\nfrom . import checks", path=""
    )
    package = house(data__in__checks="from .rows import y", path="")
    assert forward_imports(package) == ["data.rows:1 imports path, which comes after it"]
    assert import_circles(package) == ["data.checks", "data.rows"]


@pytest.mark.parametrize("guard", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_imports_for_the_type_checker_are_exempt(house, guard):
    package = house(fit=f"if {guard}:\n    from eigenshrink.path import Path", path="import eigenshrink.fit")
    assert forward_imports(package) == []
    assert import_circles(package) == []


def test_modules_without_a_place_and_the_package_itself_are_found(house):
    complaints = forward_imports(
        house(attic="", fit="import eigenshrink, eigenshrink.attic", __init__="from eigenshrink.fit import x")
    )
    assert complaints == [
        "__init__:1 imports fit: public names are loaded when first used",
        "attic has no place: add 'attic' to ORDER in tests/house_rules.py, where it belongs",
        "fit:1 imports the package itself: import the module that is meant",
    ]


def test_loaded_modules_are_seen():
    assert "numpy" in loaded_by("import numpy.linalg") & HEAVY
    with pytest.raises(AssertionError, match="No module named"):
        loaded_by("import eigenshrink.no_such_room")


def test_docstrings_that_lie_are_found():
    def good(a, b, *, c=1, **rest):
        """Do.

        Parameters
        ----------
        a, b : number
            Two of them: both needed.
        c : int
            Third.
        **rest
            Others.

        Returns
        -------
        number
            What.
        """

    def silent(a):
        """Do."""

    def bare():
        pass

    @dataclasses.dataclass(frozen=True)
    class Record:
        """Fields are described where they stand."""

        a: int  # here

    assert documented(inspect.getdoc(good)) == accepted(good) == ["a", "b", "c", "rest"]
    assert docstring_complaints("good", good) == []
    assert docstring_complaints("Record", Record) == []
    assert docstring_complaints("silent", silent) == ["silent(a) has no section Parameters"]
    assert docstring_complaints("Record.silent", silent) == []
    assert docstring_complaints("bare", bare) == ["bare has no docstring"]
    silent.__doc__ = good.__doc__
    assert docstring_complaints("silent", silent)[0].endswith("its signature has ['a']")


class Facts(TypedDict, total=False):
    rows: int
    columns: int


def test_bundled_keywords_are_described_one_by_one():
    def bundled(value, **facts: Unpack[Facts]):
        """Do.

        Parameters
        ----------
        value : number
            It.
        rows, columns : int
            In any order.
        """

    assert accepted(bundled) == ["value", "columns", "rows"]
    assert docstring_complaints("bundled", bundled) == []
    bundled.__doc__ = bundled.__doc__.replace("rows, ", "")
    assert docstring_complaints("bundled", bundled) != []


def test_long_files_and_functions_are_found():
    body = "    x = 1\n" * FUNCTION_LINES
    long_docstring = '    """Say.\n' + "\n" * 50 + '    """\n'
    assert too_long("def f():\n" + long_docstring + body[:-10], "short") == []
    assert too_long("def f():\n" + long_docstring + body, "m") == [
        f"m:1 f has {FUNCTION_LINES + 1} lines, more than {FUNCTION_LINES}"
    ]
    assert too_long("x = 1\n" * FILE_LINES, "short") == []
    assert too_long("x = 1\n" * (FILE_LINES + 1), "m") == [
        f"m has {FILE_LINES + 1} lines, more than {FILE_LINES}: split it"
    ]
