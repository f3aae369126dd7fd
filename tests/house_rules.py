"""The rules of the house. Each is a function that returns complaints, so that a test can show it complain."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import eigenshrink

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "eigenshrink"

# The one path through the house. A module may import what stands before it, never what stands after.
ORDER = (
    "_version",
    "errors",
    "units",
    "penalty",
    "data",
    "models",
    "curvature",
    "fit",
    "spectrum",
    "newton",
    "path",
    "hessian",
    "facts",
    "directions",
    "inference",
    "risk",
    "choice",
    "audit",
    "plots",
    "browser",
    "report",
    "archive",
    "record",
    "trained",
    "chain",
    "networks",
    "estimators",
    "cli",
    "__main__",
)

HEAVY = {"numpy", "scipy", "sklearn", "pandas", "polars", "matplotlib", "bokeh", "dask", "torch", "skops"}
FILE_LINES, FUNCTION_LINES = 400, 45


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


# --- formulas -----------------------------------------------------------------------------------------


def formulas(maths: str) -> set[int]:
    return {int(number) for number in re.findall(r"^### M(\d+) · \S", maths, flags=re.MULTILINE)}


def unknown_formulas(text: str, known: set[int]) -> set[int]:
    return {int(number) for number in re.findall(r"\bM(\d+)\b", text)} - known


def missing_places(maths: str, package: Path) -> list[str]:
    """Files and rooms that an ``In the code`` line names and that do not exist."""
    lines = re.findall(r"^\*In the code:\*.*$", maths, flags=re.MULTILINE)
    named = [name for line in lines for name in re.findall(r"`(\w+(?:\.py|/))`", line)]
    return [name for name in named if not (package / name).exists()]


# --- imports ------------------------------------------------------------------------------------------


def modules(package: Path) -> dict[str, Path]:
    """Dotted name inside the package -> file; a package is known by its folder, the root as ''."""
    found = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, name: str, known: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Line and target of each import of this package, also inside functions; '' is the package itself."""
    is_package = path.name == "__init__.py"
    for node in runtime_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        for target in targets(node, name.split(".") if name else [], is_package):
            while target not in known:  # a name inside a module, not a module
                target = target.rpartition(".")[0]
            yield node.lineno, target


def runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes except those that only a type checker reads."""
    yield node
    typing_only = isinstance(node, ast.If) and ast.unparse(node.test).split(".")[-1] == "TYPE_CHECKING"
    for child in node.orelse if typing_only else ast.iter_child_nodes(node):
        yield from runtime_nodes(child)


def targets(node: ast.AST, place: list[str], is_package: bool) -> Iterator[str]:
    """Dotted names inside the package that a node imports."""
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        up = len(place) - node.level + (1 if is_package else 0)
        base = ["eigenshrink", *place[:up]] if node.level else []
        base += (node.module or "").split(".") if node.module else []
        names = [".".join([*base, alias.name]) for alias in node.names]
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
        names = [arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)]
    for full in names:
        if full.split(".")[0] == "eigenshrink":
            yield full.partition(".")[2]


def forward_imports(package: Path, order: tuple[str, ...] = ORDER) -> list[str]:
    """Complaints about modules without a place and imports that point forward."""
    known, complaints = modules(package), []
    for name, path in sorted(known.items()):
        room = name.split(".")[0]
        if name and room not in order:
            complaints.append(
                f"{name} has no place: add {room!r} to ORDER in tests/house_rules.py, where it belongs"
            )
            continue
        for line, target in imported(path, name, known):
            theirs = target.split(".")[0]
            if not theirs:
                complaints.append(
                    f"{name}:{line} imports the package itself: import the module that is meant"
                )
            elif name and theirs != room and theirs in order[order.index(room) :]:
                complaints.append(f"{name}:{line} imports {target}, which comes after it")
            elif not name and theirs != "_version":
                complaints.append(
                    f"__init__:{line} imports {target}: public names are loaded when first used"
                )
    return list(dict.fromkeys(complaints))


def import_circles(package: Path) -> list[str]:
    """Modules that can be reached from themselves along imports, inside a room too."""
    known = modules(package)
    needs = {name: {t for _, t in imported(path, name, known)} - {name} for name, path in known.items()}
    for middle in needs:
        for wanted in needs.values():
            wanted |= needs[middle] if middle in wanted else set()
    return sorted(name for name, wanted in needs.items() if name in wanted)


def loaded_by(statement: str) -> set[str]:
    """Top-level modules in memory after a statement in a fresh interpreter."""
    code = (
        f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout))


# --- docstrings ---------------------------------------------------------------------------------------


def documented(docstring: str) -> list[str] | None:
    """Names in the numpydoc section Parameters, None if there is no such section."""
    match = re.search(
        r"^Parameters\n-+\n(.*?)(?=^[^\n]+\n-{3,}$|\Z)", docstring, flags=re.MULTILINE | re.DOTALL
    )
    if match is None:
        return None
    entries = re.findall(r"^(\S[^:\n]*?)(?: ?: .*)?$", match[1], flags=re.MULTILINE)
    return [name.strip().lstrip("*") for entry in entries for name in entry.split(",")]


def accepted(thing: Callable[..., object]) -> list[str]:
    """Names in the signature; ``**facts: Unpack[Facts]`` counts as what Facts lists, sorted."""
    names: list[str] = []
    for name, parameter in inspect.signature(thing).parameters.items():
        bundle = re.fullmatch(r"(?:\w+\.)?Unpack\[(\w+)\]", str(parameter.annotation))
        if bundle is not None:
            names += sorted(inspect.unwrap(thing).__globals__[bundle[1]].__annotations__)
        elif name != "self":
            names.append(name)
    return names


def is_record(thing: object) -> bool:
    """A frozen record may describe its fields where they stand: nobody but the house makes one."""
    return dataclasses.is_dataclass(thing) and thing.__dataclass_params__.frozen


def docstring_complaints(name: str, thing: object) -> list[str]:
    """Missing docstrings and Parameters sections that differ from the signature.

    A method may do without the section where its one line says it all.
    """
    docstring = inspect.getdoc(thing)
    if not docstring:
        return [f"{name} has no docstring"]
    described = documented(docstring)
    if described is None:
        excused = is_record(thing) or "." in name or not accepted(thing)
        return [] if excused else [f"{name}({', '.join(accepted(thing))}) has no section Parameters"]
    fixed = len(inspect.signature(thing).parameters) - 1
    if described != accepted(thing) and described[:fixed] + sorted(described[fixed:]) != accepted(thing):
        return [f"{name} documents {described}, its signature has {accepted(thing)}"]
    return []


def public_things() -> Iterator[tuple[str, object]]:
    """Public functions and classes, and the public methods that these classes write themselves."""
    for name in eigenshrink.__all__:
        thing = getattr(eigenshrink, name)
        if not callable(thing) or (inspect.isclass(thing) and issubclass(thing, Exception)):
            continue
        yield name, thing
        for inner, method in vars(thing).items() if inspect.isclass(thing) else ():
            if inspect.isfunction(method) and not inner.startswith("_"):
                yield f"{name}.{inner}", method


# --- lengths ------------------------------------------------------------------------------------------


def too_long(text: str, name: str) -> list[str]:
    """Files and functions beyond the hard limits; a docstring does not count."""
    complaints = []
    if (count := len(text.splitlines())) > FILE_LINES:
        complaints.append(f"{name} has {count} lines, more than {FILE_LINES}: split it")
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and (size := length(node)) > FUNCTION_LINES
        ):
            complaints.append(
                f"{name}:{node.lineno} {node.name} has {size} lines, more than {FUNCTION_LINES}"
            )
    return complaints


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    has_docstring = ast.get_docstring(function, clean=False) is not None
    docstring = first.end_lineno - first.lineno + 1 if has_docstring else 0
    return function.end_lineno - function.lineno + 1 - docstring
