"""Small files that went wrong once, each beside what is right for it; the folder of cases is
``../cases`` beside the data folder (NEUROPIL_DATA).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(os.environ.get("NEUROPIL_DATA", "../shared/data")).parent / "cases"
EPOCHS = 20


@dataclass
class Outcome:
    """What `neuropil train` made of a file."""

    code: int
    text: str
    run: Path
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def notes(self) -> str:
        return "\n".join([*self.facts.get("data", {}).get("notes", []), self.text])

    @property
    def columns(self) -> list[str]:
        return [column["name"] for column in self.preparation["columns"]]

    @property
    def preparation(self) -> dict[str, Any]:
        return self.facts["data"]["preparation"]

    @property
    def classes(self) -> list[str] | None:
        return self.facts["data"]["classes"]

    def figure(self, name: str, part: str = "test") -> float:
        value = self.facts["figures"].get(part, {}).get(name)
        return float("nan") if value is None else value

    def predict(self, file: str) -> list[Any]:
        """Return what `neuropil predict --json` gives."""
        _, text = call("predict", self.run, FOLDER / file, "--json")
        return json.loads(text[text.index("[") :])

    def shown(self) -> str:
        """Return what came, in a few words."""
        if self.code:
            errors = [line for line in self.text.splitlines() if line.startswith("error: ")]
            return (errors or self.text.splitlines() or ["?"])[-1].replace(f"{FOLDER}/", "")
        names = ("accuracy", "r2")
        figures = {n: self.figure(n) for n in names if self.figure(n) == self.figure(n)}
        return ", ".join(f"{name} {value:.3f}" for name, value in figures.items())


def call(*arguments: object) -> tuple[int, str]:
    """Return the exit code of a command and what it printed."""
    from neuropil.cli import main

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = main([str(argument) for argument in arguments])
    return code, out.getvalue()


def train(path: Path, folder: Path, *options: str) -> Outcome:
    """Return what `neuropil train` makes of a file or folder."""
    run = folder / f"run{len(list(folder.iterdir()))}"
    command = ["train", "--data", path, "--epochs", EPOCHS, "--threads", 1, "--out", run]
    code, text = call(*command, *options)
    facts = json.loads((run / "run.json").read_text()) if code == 0 else {}
    return Outcome(code, text, run, facts)


def accurate(least: float) -> Callable[[Outcome], bool]:
    """Return a check of the accuracy on the test part."""
    return lambda o: o.code == 0 and o.figure("accuracy") >= least


def explains(least: float) -> Callable[[Outcome], bool]:
    """Return a check of R² on the test part."""
    return lambda o: o.code == 0 and o.figure("r2") >= least


def refused(*words: str) -> Callable[[Outcome], bool]:
    """Return a check that there is one line of error with these words, and no traceback."""
    return lambda o: (
        o.code == 2 and all(word in o.shown() for word in words) and "Traceback" not in o.text
    )


def noted(*words: str) -> Callable[[Outcome], bool]:
    """Return a check that a note has these words."""
    return lambda o: o.code == 0 and all(word in o.notes for word in words)


def named(*classes: str) -> Callable[[Outcome], bool]:
    """Return a check of the names of the classes."""
    return lambda o: o.code == 0 and o.classes == list(classes)


def both(*checks: Callable[[Outcome], bool]) -> Callable[[Outcome], bool]:
    """Return a check that all checks hold."""
    return lambda o: all(check(o) for check in checks)


def either(*checks: Callable[[Outcome], bool]) -> Callable[[Outcome], bool]:
    """Return a check that one of several holds."""
    return lambda o: any(check(o) for check in checks)


def without(column: str) -> Callable[[Outcome], bool]:
    """Return a check that a column is left out with a note."""
    return lambda o: noted(column, "left out")(o) and column not in o.columns


def predicts(file: str, count: int) -> Callable[[Outcome], bool]:
    """Return a check that a file gives as many predictions."""
    return lambda o: o.code == 0 and len(o.predict(file)) == count


def near(file: str, column: str, within: float) -> Callable[[Outcome], bool]:
    """Return a check that predictions are near the values of a column, on average."""

    def check(outcome: Outcome) -> bool:
        import csv

        with (FOLDER / file).open(newline="") as table:
            true = [float(row[column]) for row in csv.DictReader(table)]
        found = [each["value"] for each in outcome.predict(file)]
        return sum(abs(f - t) for f, t in zip(found, true, strict=True)) / len(true) < within

    return check


def guesses(outcome: Outcome) -> bool:
    """Check that nothing was learnt, where there is nothing to learn."""
    return outcome.code == 0 and outcome.figure("accuracy") <= 0.75


def plain_digits(outcome: Outcome) -> bool:
    """Check that prices are printed to the unit, without an exponent."""
    _, text = call("predict", outcome.run, FOLDER / "csv/money.csv")
    values = [line.rsplit(" ", 1)[1] for line in text.splitlines() if ", row " in line]
    return all("e" not in value and len(value.split(".")[0]) == 7 for value in values)


LEFT_OUT, READ = "left out with a note, accuracy about 0.5", "read"
# A file, its options, what is wanted of it, and how that is seen.
ROWS: list[tuple[str, tuple[str, ...], str, Callable[[Outcome], bool]]] = [
    ("csv/unnamed_index_sorted.csv", (), LEFT_OUT, both(without("column1"), guesses)),
    ("csv/passenger_id.csv", (), LEFT_OUT, both(without("PassengerId"), guesses)),
    ("csv/unnamed0_exact.csv", (), LEFT_OUT, both(without("Unnamed: 0"), guesses)),
    ("csv/target_1e9.csv", (), "within 1", near("csv/target_1e9.csv", "y", 1)),
    ("csv/timestamp_ms.csv", (), "accuracy 1", accurate(1)),
    ("csv/timestamps_s.csv", (), "accuracy 1", accurate(1)),
    ("csv/pandas_range_header.csv", (), "names 0, 1, 2", lambda o: o.columns == ["0", "1"]),
    (
        "csv/wavelength_header.csv",
        (),
        "names 400 to 420",
        lambda o: o.columns == ["400", "410", "420"],
    ),
    (
        "csv/pandas_range_header.csv",
        ("--no-header",),
        "101 rows",
        lambda o: sum(o.facts["data"][part] for part in ("train", "validation", "test")) == 101,
    ),
    (
        "csv/huge_id_classes.csv",
        (),
        "three classes as written",
        named(*(f"9007199254740992{n}" for n in (1, 2, 3))),
    ),
    ("csv/money.csv", (), "digits by the error", plain_digits),
    ("csv/thousands.csv", (), "numbers", accurate(0.95)),
    ("csv/thousands_semicolon.csv", (), "numbers", accurate(0.95)),
    ("csv/thousands_target.csv", (), "numbers", explains(0.95)),
    ("csv/currency.csv", (), "numbers", accurate(0.9)),
    ("csv/decimal_comma_quoted.csv", (), "numbers", accurate(0.85)),
    ("csv/class_named_NA.csv", (), "a note with 'NA'", noted("'NA'", "another word")),
    ("csv/class_named_None.csv", (), "three classes", named("APAC", "EU", "None")),
    (
        "csv/none_category.csv",
        (),
        "a category",
        both(
            lambda o: "None" in o.preparation["columns"][0]["categories"],
            predicts("csv/one.csv", 2),
        ),
    ),
    *(
        (f"csv/na_{name}.csv", (), "missing", noted("Missing: 'a' in 4 rows"))
        for name in ("NA", "NULL", "None", "blank", "minusnan", "pandas")
    ),
    *(
        (f"csv/na_{name}.csv", (), "row and column", refused("row 7", "column 'a'"))
        for name in ("dash", "dot", "excel", "999")
    ),
    ("csv/excel_sep.csv", (), READ, accurate(0.85)),
    ("csv/comment_line.csv", (), READ, accurate(0.85)),
    ("csv/trailing_comma.csv", (), READ, accurate(0.85)),
    ("arrays/kaggle_digits.csv", (), "target label", lambda o: len(o.classes or ()) == 10),
    ("csv/gbk.csv", (), "letters", both(named("狗", "猫"), noted("GB 18030"))),
    ("csv/gbk.csv", ("--encoding", "gbk"), "letters", named("狗", "猫")),
    ("csv/sjis.csv", (), "letters", both(named("犬", "猫"), noted("Shift-JIS"))),
    ("csv/sjis.csv", ("--encoding", "utf-8"), "an error", refused("not text in utf-8")),
    ("csv/utf16_nobom.csv", (), READ, accurate(0.85)),
    ("csv/gz.csv.gz", (), READ, accurate(0.85)),
    ("csv/spaces.csv", (), READ, accurate(0.85)),
    (
        "predict/none_category_train.csv",
        (),
        "three predictions",
        predicts("predict/blank_row.csv", 3),
    ),
    # Files that were read right before.
    *(
        (f"csv/{name}.csv", (), READ, accurate(0.8))
        for name in (
            *("apostrophe", "bom_quoted_newline", "case_clash", "class_case", "class_spaces"),
            *("empty_constant", "float_labels", "mac_cr", "mixed_cat", "pipes_in_text"),
            *("quoted_commas", "single_example_class", "tabs"),
        )
    ),
    *(
        (f"csv/{name}.csv", (), READ, explains(0.9))
        for name in ("big_reg", "counts30", "half_steps")
    ),
    ("csv/class_nfc.csv", (), "three classes", lambda o: len(o.classes or ()) == 3),
    ("csv/mixed_bool_target.csv", (), "four classes", named("0", "1", "False", "True")),
    ("csv/date_column.csv", (), "an error", refused("no column to learn from", "'date'")),
    ("csv/duplicate_columns.csv", (), "an error", refused("more than one column", "'x'")),
    ("csv/empty.csv", (), "an error", refused("empty")),
    ("csv/header_only.csv", (), "an error", refused("no rows")),
    ("csv/inf.csv", (), "an error", refused("row 7", "column 'a'", "inf")),
    ("csv/one.csv", (), "an error", refused("one column only")),
    ("csv/one_class.csv", (), "an error", refused("one class only")),
    ("csv/repeated_header.csv", (), "an error", refused("row 42", "column 'x1'")),
    ("arrays/wine.csv", (), READ, lambda o: o.columns == ["column1", "column2"]),
    # Arrays and pictures.
    (
        "arrays/bigy.npz",
        (),
        "R² near 1, error below 1",
        lambda o: o.code == 0 and o.figure("mean_absolute_error") < 1,
    ),
    ("arrays/bigids.npz", (), "as many classes as written", lambda o: len(o.classes or ()) > 1),
    ("arrays/idx_nested", (), "found", lambda o: o.code == 0),
    (
        "pictures/equal_numbers",
        (),
        "one order of classes",
        lambda o: sorted(o.classes or ()) == ["001", "01", "1", "2"],
    ),
    ("pictures/sixteen_bit_dark", (), "accuracy 1 or a note", accurate(1)),
    ("pictures/mixed_depth", (), "accuracy 1 or a note", accurate(1)),
    ("pictures/low_16bit", (), "accuracy 1 or a note", accurate(1)),
    *(
        (f"pictures/{name}", (), "said what was set aside", lambda o: bool(o.notes.strip()))
        for name in ("float_tiff", "int16_signed", "nested_links", "empty_class")
    ),
]


def main(only: str = "") -> None:
    """Print what came of each case beside what is wanted.

    Args:
        only: Print the cases whose path holds this.
    """
    if not FOLDER.is_dir():
        print(f"no cases at {FOLDER}: set NEUROPIL_DATA to the data folder beside them")
        return
    import neuropil.plots

    # A report takes seconds, and is not what is looked at here.
    neuropil.plots.write_report = lambda path, *_, **__: Path(path).write_text("")  # pyright: ignore
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for path, options, wanted, check in ROWS:
            if only not in path or not (FOLDER / path).exists():
                continue
            outcome = train(FOLDER / path, Path(folder), *options)
            try:
                right = check(outcome)
            except (KeyError, ValueError, IndexError):
                right = False
            wrong += not right
            name = " ".join([path, *options])
            print(
                f"{'ok   ' if right else 'WRONG'} {name:38} {wanted:28} {outcome.shown():.110}"
            )
    print(f"{wrong} wrong")
    sys.exit(wrong > 0)
