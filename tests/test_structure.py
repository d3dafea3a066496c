"""What holds for the project as a whole: imports, public names."""

import ast
import importlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "neuropil"

# Each package uses only those before it.
ORDER = (
    "core", "init", "layers", "architectures", "optim", "classic", "datasets", "analysis",
    "training", "runs", "plots", "report", "cli",
)  # fmt: skip
# Methods that hand over to a later package, inside a function.
ALLOWED = {("core", "analysis")}


def imports(path: Path) -> Iterator[str]:
    """Yield the packages of the project that a file imports, other than for type hints."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    for node in ast.walk(tree):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom) and node.module == "neuropil":
            names = [f"neuropil.{alias.name}" for alias in node.names]
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        yield from (name.split(".")[1] for name in names if name.startswith("neuropil."))


@pytest.mark.parametrize("package", ORDER)
def test_a_package_uses_only_those_in_front_of_it(package):
    files = [SOURCE / f"{package}.py", *(SOURCE / package).rglob("*.py")]
    before = ORDER[: ORDER.index(package) + 1]
    for path in filter(Path.is_file, files):
        for used in imports(path):
            fine = used not in ORDER or used in before or (package, used) in ALLOWED
            assert fine, f"{path.relative_to(ROOT)} imports neuropil.{used}"


# Names that may stand in several folders: what the rest of a folder is built on.
COMMON = {"__init__", "base", "loops", "task"}


def modules() -> list[Path]:
    """Return every module of the package."""
    return sorted(SOURCE.rglob("*.py"))


def test_no_folder_holds_too_many_files():
    sizes = Counter(path.parent for path in modules())
    assert {str(folder): n for folder, n in sizes.items() if n > 22} == {}


def test_no_two_modules_have_the_same_name():
    names = Counter(path.stem for path in modules() if path.stem not in COMMON)
    assert [name for name, n in names.items() if n > 1] == []


def test_git_tracks_every_module():
    run = subprocess.run(
        ["git", "ls-files", "src"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if run.returncode:
        pytest.skip("not a git checkout")
    tracked = {ROOT / name for name in run.stdout.splitlines()}
    assert [str(path) for path in modules() if path not in tracked] == []


def test_importing_the_package_loads_nothing_heavy():
    code = "import neuropil, sys; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    heavy = {"torch", "numpy", "sklearn", "matplotlib", "rich", "typer", "pandas", "PIL"}
    assert not heavy & set(run.stdout.split())


@pytest.mark.parametrize(
    "package",
    ["layers", "optim", "classic", "analysis", "datasets", "training", "plots", "report"],
)
def test_public_names_exist(package):
    module = importlib.import_module(f"neuropil.{package}")
    for name in module.__all__:
        assert getattr(module, name).__doc__, name


def test_no_machine_path_stands_in_the_project():
    shown = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    for name in shown:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".txt"} and path.name != Path(__file__).name:
            text = path.read_text()
            for word in ("/work/", "/root/", f"{os.sep}tmp{os.sep}"):
                assert word not in text, f"{name} names {word}"
