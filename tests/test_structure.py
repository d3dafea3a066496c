"""What holds for the project as a whole: imports and public names."""

import ast
import functools
import importlib
import os
import re
import subprocess
import sys
import types
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from neuropil.lazy import exports

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "neuropil"

# Each package uses only those before it.
ORDER = (
    "text", "foreign_names", "notebook_html", "checks", "lazy", "digest", "core", "init",
    "layers", "saving", "architectures", "optim", "classic", "datasets", "analysis", "training",
    "store", "runs", "vision", "study", "plots", "report", "cli", "__main__",
)  # fmt: skip

# How tables name what is imported when it is used.
IMPORTED_LATER = re.compile(r"[a-z_]+(\.\w+)+")
# The imports that close a circle of modules, and why. Each is for a type or runs in a function.
HONEST = {
    ("core.layer", "core.composition"): "`a >> b` of two layers composes a network of layers",
    ("core.layer", "core.network"): "what `a >> b` gives, as a type",
    ("training.callbacks", "training.trainer"): "what a callback is called with, as a type",
}


@functools.cache
def modules() -> dict[str, Path]:
    """Return every module of the package by its name after "neuropil."; "" is the package."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[: -1 if parts[-1] == "__init__" else None])] = path
    return found


def home(module: str, name: str = "") -> str:
    """Return the module that a name comes from: of packages, the one that defines it."""
    if f"{module}.{name}".strip(".") in modules():
        return f"{module}.{name}".strip(".")
    if module in modules() and modules()[module].name == "__init__.py":
        source, _ = exports(modules()[module].read_text()).get(name, ("", ""))
        return source.removeprefix("neuropil.") or module
    return module


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports: for types, in functions and by name too."""
    tree = ast.parse(path.read_text())
    own = ".".join(path.relative_to(SOURCE).parent.parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found = [(node.module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            module = node.value.removeprefix("neuropil.")  # its own package: for its files
            found = [(node.value, "")] * (module in modules() and module != own)
        else:
            continue
        for module, name in found:
            if module.partition(".")[0] == "neuropil":
                yield home(module.partition(".")[2], name)


@functools.cache
def imported() -> dict[str, set[str]]:
    """Return what each module imports; the package itself names all others lazily."""
    return {name: {*imports(path)} - {""} for name, path in modules().items() if name}


@pytest.mark.parametrize("package", ORDER)
def test_a_package_uses_only_those_before_it(package):
    later = ORDER[ORDER.index(package) + 1 :]
    for name, used in imported().items():
        if name.partition(".")[0] == package:
            assert [module for module in used if module.partition(".")[0] in later] == [], name


def test_every_package_has_its_place_in_the_order():
    assert {name.partition(".")[0] for name in imported()} <= {*ORDER}


def reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """Return what a module imports, and what that imports, and so on."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the sets of modules that import each other in a circle, each in order."""
    reach = {name: reachable(graph, name) for name in graph}
    found = {
        tuple(sorted(other for other in reach[name] if name in reach.get(other, ())))
        for name in graph
        if name in reach[name]
    }
    return sorted(map(list, found))


def test_no_circle_of_modules_but_the_honest_ones():
    untied = {
        name: {other for other in used if (name, other) not in HONEST}
        for name, used in imported().items()
    }
    assert circles(untied) == []


def test_every_honest_circle_is_one():
    for name, other in HONEST:
        assert other in imported()[name]
        assert any({name, other} <= {*circle} for circle in circles(imported()))


def test_circles_are_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}
    assert circles(graph) == [["b", "c"]]


# Names that may stand in several folders: what the rest of a folder is built on.
COMMON = {"__init__", "base", "loops", "task"}


def test_no_folder_holds_too_many_files():
    sizes = Counter(path.parent for path in modules().values())
    assert {str(folder): n for folder, n in sizes.items() if n > 22} == {}


def test_no_two_modules_have_the_same_name():
    names = Counter(path.stem for path in modules().values() if path.stem not in COMMON)
    assert [name for name, n in names.items() if n > 1] == []


def test_git_tracks_every_module():
    run = subprocess.run(
        ["git", "ls-files", "src"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if run.returncode:
        pytest.skip("not a git checkout")
    tracked = {ROOT / name for name in run.stdout.splitlines()}
    assert [str(path) for path in modules().values() if path not in tracked] == []


def test_importing_the_package_loads_nothing_heavy():
    code = "import neuropil, sys; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    heavy = {"torch", "numpy", "sklearn", "matplotlib", "rich", "typer", "pandas", "PIL"}
    assert not heavy & set(run.stdout.split())


def faces() -> list[str]:
    """Return the packages that export names."""
    paths = modules().items()
    return [name for name, p in paths if p.name == "__init__.py" and exports(p.read_text())]


@pytest.mark.parametrize("package", faces())
def test_public_names_exist(package):
    module = importlib.import_module(f"neuropil.{package}".strip("."))
    for name in module.__all__:
        assert getattr(module, name).__doc__, name


@pytest.mark.parametrize("package", faces())
def test_a_public_name_is_exported_from_where_it_is_defined(package):
    for name, (module, original) in exports(modules()[package].read_text()).items():
        assert name == original, f"{name}: type checkers take only `{name} as {name}`"
        home_of_it = module.partition(".")[2]
        if f"{home_of_it}.{name}".strip(".") not in modules():
            assert name in defined(home_of_it), f"{module} does not define {name}"


@functools.cache
def defined(module: str) -> dict[str, ast.stmt]:
    """Return what a module defines."""
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(modules()[module].read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return found


def is_entered(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Tell whether a decorator enters a function somewhere, as ``@app.callback`` does."""
    names = [ast.unparse(one).partition("(")[0] for one in node.decorator_list]
    return any(
        name == "overload" or ("." in name and not name.startswith("functools."))
        for name in names
    )


def mentions(module: str) -> Iterator[str]:
    """Yield the names of ours that a module exports, imports or uses."""
    tree = ast.parse(modules()[module].read_text())
    foreign: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            ours = isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                "neuropil"
            )
            names = {alias.asname or alias.name for alias in node.names}
            yield from names if ours else ()
            foreign |= set() if ours else names
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield from {node.id} - foreign
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) not in foreign:
            yield node.attr
        elif isinstance(node, ast.Constant) and re.fullmatch(
            r"[a-z_]+(\.\w+)+", str(node.value)
        ):
            yield node.value.rpartition(".")[
                2
            ]  # in a table of what is imported when it is used


def test_every_function_and_class_is_exported_or_used():
    """What nobody uses was forgotten: in the package's ``__init__.py``, or when it went."""
    used = {name for module in modules() for name in mentions(module)}
    unused = [
        f"{module}.{name}"
        for module in modules()
        for name, node in defined(module).items()
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        if name not in used and not is_entered(node)
    ]
    assert unused == []


def test_every_package_is_an_attribute_of_the_whole():
    code = "import neuropil; print(*dir(neuropil)); print(*map(neuropil.__getattr__, {0}))"
    packages = [p.parent.name for p in SOURCE.glob("*/__init__.py") if p.parent.name != "cli"]
    command = [sys.executable, "-c", code.format(packages)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {*packages} <= {*run.stdout.splitlines()[0].split()}


@pytest.mark.parametrize("package", faces())
def test_a_public_name_is_not_replaced_by_the_package_of_its_name(package):
    face = importlib.import_module(f"neuropil.{package}".strip("."))
    for name, (source, _) in exports(modules()[package].read_text()).items():
        if f"{package}.{name}" in modules() and source != face.__name__:
            importlib.import_module(f"neuropil.{package}.{name}")
            assert not isinstance(getattr(face, name), types.ModuleType), name


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
