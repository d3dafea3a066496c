"""What can be asked of an outcome: each function returns a check."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable

from benchmarks.cases.outcome import FOLDER, Outcome

Check = Callable[[Outcome], bool]


def every(*checks: Check) -> Check:
    """Return a check that all of several hold."""
    return lambda o: all(check(o) for check in checks)


def accurate(least: float, most: float = 1.0) -> Check:
    """Return a check of the accuracy on the test part."""
    return lambda o: least <= o.figure("accuracy") <= most


def explains(least: float) -> Check:
    """Return a check of R² on the test part."""
    return lambda o: o.figure("r2") >= least


def refused(pattern: str) -> Check:
    """Return a check that one line of error holds this, exit code 2."""
    return lambda o: o.code == 2 and re.search(pattern, o.error) is not None


def noted(pattern: str) -> Check:
    """Return a check that the notes hold this."""
    return lambda o: re.search(pattern, o.notes) is not None


def named(*classes: str) -> Check:
    """Return a check of the names of the classes, in their order."""
    return lambda o: o.classes == list(classes)


def columns(*names: str) -> Check:
    """Return a check of the columns that are learnt from."""
    return lambda o: o.columns == list(names)


def category(word: str) -> Check:
    """Return a check that a word is a category of some column."""

    def check(outcome: Outcome) -> bool:
        columns = outcome.data["preparation"]["columns"]
        return any(word in column.get("categories", ()) for column in columns)

    return check


def sized(**figures: int) -> Check:
    """Return a check of the number of examples of each part."""
    return lambda o: all(o.data[part] == count for part, count in figures.items())


def shaped(*shape: int) -> Check:
    """Return a check of the shape of an example."""
    return lambda o: o.data["input_shape"] == list(shape)


def without(column: str) -> Check:
    """Return a check that a column is left out with a note, and nothing learnt."""
    left_out = noted(f"{column}.* left out")
    return lambda o: left_out(o) and column not in o.columns and accurate(0.1, 0.9)(o)


def predicts(file: str, count: int) -> Check:
    """Return a check that a file gives as many predictions."""
    return lambda o: len(o.predict(file)) == count


def near(file: str, column: str, within: float) -> Check:
    """Return a check that predictions are as near to the values of a column, on average."""

    def check(outcome: Outcome) -> bool:
        with (FOLDER / file).open(newline="") as table:
            true = [float(row[column]) for row in csv.DictReader(table)]
        found = [each["value"] for each in outcome.predict(file)]
        return sum(abs(f - t) for f, t in zip(found, true, strict=True)) / len(true) < within

    return check


def prints(file: str, pattern: str) -> Check:
    """Return a check that each number that `predict` prints looks like this."""

    def check(outcome: Outcome) -> bool:
        lines = [line for line in outcome.predict_text(file).splitlines() if ", row " in line]
        return bool(lines) and all(re.fullmatch(pattern, line.split()[-1]) for line in lines)

    return check
