"""What holds for the tests themselves: each asserts something, and nothing that may vary."""

import ast
import functools
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from tests import count_lines

FOLDER = Path(__file__).parent
DROPPED = ("np.allclose(", "torch.allclose(", "torch.equal(", "np.array_equal(", "all(", "any(")
CLOCKS = {"perf_counter", "perf_counter_ns", "process_time", "monotonic", "thread_time", "time"}
GENERATORS = ("default_rng", "Generator", "manual_seed", "Random")
# The sum of the phrases that the style guide replaces.
MOST_PHRASES = 60


def sources(pattern: str) -> Iterator[tuple[Path, ast.Module]]:
    """Yield the tests' files whose names match, taken apart."""
    for path in sorted(FOLDER.rglob(pattern)):
        yield path, taken_apart(path)


@functools.cache
def taken_apart(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def test_no_comparison_is_dropped():
    """A bare `x == y` or `np.allclose(…)` in a test checks nothing."""
    for path, tree in sources("test_*.py"):
        inside = {
            id(statement)
            for node in ast.walk(tree)
            if isinstance(node, ast.With) and "raises" in ast.unparse(node.items[0])
            for statement in ast.walk(node)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Expr) or id(node) in inside:
                continue
            text = ast.unparse(node.value)
            dropped = isinstance(node.value, ast.Compare) or text.startswith(DROPPED)
            assert not dropped, f"{path.name}:{node.lineno}: {text}"


def reads_clock(node: ast.AST) -> bool:
    """Tell whether an expression calls a clock of the `time` module."""
    calls = (part.func for part in ast.walk(node) if isinstance(part, ast.Call))
    return any(
        (isinstance(call, ast.Attribute) and call.attr in CLOCKS)
        or (isinstance(call, ast.Name) and call.id in CLOCKS)
        for call in calls
    )


def compared_times(tree: ast.Module) -> list[int]:
    """Return the lines that compare a time: a clock's, or a name that was given one."""
    if not reads_clock(tree):
        return []
    timed = {
        ast.unparse(target)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.NamedExpr)
        and node.value
        and reads_clock(node.value)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and (
            reads_clock(node)
            or any(isinstance(n, ast.Name) and n.id in timed for n in ast.walk(node))
        )
    ]


def test_no_test_asserts_a_time():
    found = {path.name: compared_times(tree) for path, tree in sources("*.py")}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "lines",
    [
        "start = time.perf_counter()\nassert time.perf_counter() - start < 1",
        "took = process_time() - 3\nassert took < 1",
        "deadline = monotonic() + 60\nwhile f() < deadline: pass",
        "if (now := time.time()) > 5: pass",
    ],
)
def test_a_time_that_is_compared_is_found(lines):
    assert compared_times(ast.parse(lines)) == [lines.count("\n") + 1]


def shared_generators(tree: ast.Module) -> set[str]:
    """Return the generators that a module makes once and several of its functions draw from."""
    made = {
        ast.unparse(node.targets[0])
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func).endswith(GENERATORS)
    }
    if not made:
        return made
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    used = {n.id for f in functions for n in ast.walk(f) if isinstance(n, ast.Name)}
    return made & used


def test_no_two_tests_draw_from_one_generator():
    """What one of them draws would depend on whether the other ran before."""
    found = {path.name: shared_generators(tree) for path, tree in sources("*.py")}
    assert {name: names for name, names in found.items() if names} == {}


def test_a_shared_generator_is_found():
    tree = ast.parse("R = np.random.default_rng(0)\ndef test():\n    R.random()")
    assert shared_generators(tree) == {"R"}


@pytest.mark.parametrize("_", range(2))
def test_every_test_draws_the_same(_):
    """The second test finds the generators as the first did, which draws from all of them."""
    drawn = random.random(), np.random.random(), torch.rand(1).item()  # noqa: NPY002
    assert drawn == pytest.approx((0.8444218515, 0.5488135039, 0.4962565899))


def test_what_several_tests_share_is_drawn_from_the_same_seed(first, second):
    assert first == second


@pytest.fixture(scope="module")
def first():
    return random.random(), np.random.random(), torch.rand(1).item()  # noqa: NPY002


@pytest.fixture(scope="module")
def second():
    return random.random(), np.random.random(), torch.rand(1).item()  # noqa: NPY002


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('"""Doc."""\n\nx = 1  # why\n', 1),
        ('def f():\n    """Doc.\n\n    More.\n    """\n    # why\n    return 1\n', 2),
        ('x = """a\nb\n"""\n', 3),
        ('f(\n    # why\n    "a",\n)\n', 3),
        ("class A:\n    'Doc.'\n\n    b: int\n    'About b.'\n", 2),
    ],
)
def test_code_lines_have_no_docs_comments_or_blanks(text, lines):
    assert count_lines.code_lines(text) == lines


def test_phrases_and_questions_are_counted(tmp_path):
    (tmp_path / "a.py").write_text(
        '"""What stands behind."""\n'
        "def f():\n"
        '    """Return what is no number."""\n'
        "    return classes is None\n"
    )
    (tmp_path / "b.py").write_text("# amended, and so many\n")
    words = count_lines.phrases(tmp_path)
    assert {name: n for name, n in words.items() if n} == {
        "What …": 1, "Return what …": 1, "behind": 1, "is no …": 1, "so many": 1,
    }  # fmt: skip
    assert count_lines.asking_for_the_task(tmp_path) == [tmp_path / "a.py"]


def test_the_source_is_written_in_plain_english():
    counts = count_lines.phrases(count_lines.SOURCE)
    assert counts.total() < MOST_PHRASES, counts
