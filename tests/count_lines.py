"""Count what the source consists of: `python tests/count_lines.py [folder]`.

Code lines carry at least one token that is not a comment or a docstring. The other counts
follow how far two habits have spread: asking for the kind of task outside its own file, and
phrases that the style guide replaces. `test_tests.py` calls them.
"""

import argparse
import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src"
SILENT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENCODING, tokenize.ENDMARKER,
}  # fmt: skip
KIND_OF_TASK = re.compile(r"classes is None|task ==")
PHRASES = {
    "is no …": r"\bis no \w",
    "are no …": r"\bare no \w",
    "behind": "behind",
    "in front of": "in front of",
    "mend": r"\bmend",
    "so many": "so many",
}
# Openings of a docstring that name a riddle instead of the thing.
OPENINGS = {"What …": "What ", "Return what …": "Return what"}


def modules(folder: Path) -> list[Path]:
    """Return every Python file below a folder."""
    return sorted(folder.rglob("*.py"))


def code_lines(text: str) -> int:
    """Return the number of lines with code: docstrings, comments and blank lines left out."""
    lines: set[int] = set()
    starts_statement = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in SILENT:
            starts_statement |= token.type not in {tokenize.COMMENT, tokenize.NL}
            continue
        # A string that begins a statement is a docstring: no other use of one does.
        if not (starts_statement and token.type == tokenize.STRING):
            lines.update(range(token.start[0], token.end[0] + 1))
        starts_statement = False
    return len(lines)


def code_lines_by_package(folder: Path) -> Counter[str]:
    """Return the code lines of each package or top-level module of a source folder."""
    top = folder / "neuropil" if (folder / "neuropil").is_dir() else folder
    counts: Counter[str] = Counter()
    for path in modules(top):
        counts[path.relative_to(top).parts[0].removesuffix(".py")] += code_lines(
            path.read_text()
        )
    return counts


def asking_for_the_task(folder: Path) -> list[Path]:
    """Return the files that ask whether the task is classification or regression."""
    return [path for path in modules(folder) if KIND_OF_TASK.search(path.read_text())]


def docstrings(text: str) -> Iterator[str]:
    """Yield the docstrings of a module, its classes and its functions."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def phrases(folder: Path) -> Counter[str]:
    """Return how often each phrase of `PHRASES` and `OPENINGS` occurs."""
    counts = Counter(dict.fromkeys([*PHRASES, *OPENINGS], 0))
    for path in modules(folder):
        text = path.read_text()
        for name, pattern in PHRASES.items():
            counts[name] += len(re.findall(pattern, text))
        for name, opening in OPENINGS.items():
            counts[name] += sum(doc.startswith(opening) for doc in docstrings(text))
    return counts


def main() -> None:
    """Print every count of a folder."""
    parser = argparse.ArgumentParser(description="Count code lines and phrases.")
    parser.add_argument("folder", nargs="?", type=Path, default=SOURCE)
    folder = parser.parse_args().folder
    packages, words = code_lines_by_package(folder), phrases(folder)
    for name, lines in packages.most_common():
        print(f"{lines:7,}  {name}")
    print(f"{packages.total():7,}  code lines in all")
    print(f"{len(asking_for_the_task(folder)):7,}  files that ask for the kind of task")
    for name, times in words.most_common():
        print(f"{times:7,}  {name}")
    print(f"{words.total():7,}  phrases in all")


if __name__ == "__main__":
    main()
