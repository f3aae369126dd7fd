"""PyTorch is an extra: what works without it, and what says how to get it."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from house_rules import PACKAGE, ROOT, loaded_by, python_files, runtime_nodes

WITHOUT = """
import importlib.util, sys
known = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "torch" else known(name, *rest)
class Missing:
    def find_spec(self, name, *rest):
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
sys.meta_path.insert(0, Missing())
"""


def without_torch(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT + code], capture_output=True, text=True, check=False, cwd=ROOT
    )


def imports_torch(text: str) -> bool:
    for node in runtime_nodes(ast.parse(text)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        if any(name.split(".")[0] == "torch" or name.endswith(".torch") for name in names):
            return True
    return False


def test_only_the_room_of_networks_imports_it():
    others = [path for path in python_files("src") if "networks" not in path.relative_to(PACKAGE).parts]
    assert len(others) > 100
    assert [str(path) for path in others if imports_torch(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "line", ["import torch", "from torch.nn import Linear", "from safetensors.torch import x"]
)
def test_that_rule_can_complain(line):
    assert imports_torch(f"def inside():\n    {line}\n")
    assert not imports_torch("from eigenshrink import torches")


def test_the_room_itself_is_opened_without_loading_it():
    assert "torch" not in loaded_by("import eigenshrink.networks")


def test_without_it_everything_else_works():
    run = without_torch(
        "import eigenshrink as es\n"
        "print(es.study([[0.0], [1.0], [2.0]], [0.0, 1.0, 3.0], alpha=0.0).coef())\n"
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[1.5]"


def test_without_it_the_room_says_which_command_installs_it():
    run = without_torch("import eigenshrink.networks")
    assert "python -m pip install 'eigenshrink[torch]'" in run.stderr
    assert "MissingExtra" in run.stderr


@pytest.mark.parametrize("words", [["demo", "network"], ["network", "torch.nn:Linear"]])
def test_without_it_the_command_says_so_in_one_sentence(words, tmp_path):
    run = without_torch(
        f"from eigenshrink.cli import main\nsys.exit(main({[*words, '--output', str(tmp_path / 'out')]!r}))"
    )
    assert run.returncode == 2
    assert run.stderr.strip().splitlines() == [
        "Error: torch is needed for this and is not installed: run python -m pip install 'eigenshrink[torch]'"
    ]
    assert not (tmp_path / "out").exists()
