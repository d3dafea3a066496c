"""Helpers for messages: escapes, shortened texts, names, and suggestions for mistyped ones."""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Unicode categories of control characters, surrogates of undecodable file names, line and
# paragraph separators.
UNSEEN = {"Cc", "Cs", "Zl", "Zp"}
# Marks that change the direction of the following text.
TURNING = {*"\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}
LONGEST_NAME, LONGEST_ITEM = 60, 150
LONGEST_REASON = 400
FIGURE_NAMES = {
    "r2": "R²",
    "f1": "F1",
    "roc_auc": "ROC AUC",
    "mean_iou": "mean IoU",
    "normalized_mean_error": "normalised mean error",
    "ap": "AP",
    "ap50": "AP50",
    "ap75": "AP75",
    "iou": "IoU",
    "dice": "Dice",
    "dice_per_picture": "Dice per picture",
}
"""The names of metrics in words, where underscores would not be all that differs."""
# The maximum number of classes that are counted one by one.
MOST_COUNTED = 6
# The text after the equals sign is a cell or a name of the user's, never one of our messages.
ARGUMENT = re.compile(
    r"\b(task|target|split_by|header|encoding|image_size|color|seed)=(?!\w)(?=(')?)"
    r"|`(task|target|split_by|encoding|image_size|color)`"
)


def visible(text: object) -> str:
    r"""Return text with escapes for characters that control a terminal or a page.

    Line breaks and tabs stay.

    Args:
        text: Any text, such as the name of a file or of a class.

    Example:
        >>> visible("caf\x1b[31m\u202e")
        'caf\\x1b[31m\\u202e'
    """
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(escape, text))


def escape(sign: str) -> str:
    """Return one character, or its escape if it is invisible."""
    if sign in "\n\t" or (unicodedata.category(sign) not in UNSEEN and sign not in TURNING):
        return sign
    code = ord(sign)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def one_line(text: object) -> str:
    """Return a message on one line, with escapes for characters that control a terminal."""
    return visible(" ".join(str(text).split()))


def reason(error: BaseException) -> str:
    """Return the message of an error for use in a sentence: one line, short, no full stop.

    Example:
        >>> reason(ValueError("no such row.")), reason(KeyError())
        ('no such row', 'KeyError')
    """
    text = one_line(error).rstrip(".") or type(error).__name__
    if isinstance(error, KeyError) and error.args:
        text = f"{error.args[0]!r} is missing"
    return cut(text, LONGEST_REASON)


def cut(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a text shortened for a message, since it may come from a hostile file.

    Example:
        >>> cut("Relu()"), cut("x" * 1000, 8)
        ('Relu()', 'xxxxxxx…')
    """
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def some_of(items: Iterable[object], most: int = 3) -> str:
    """Return the first few items as text, with the number of the others.

    Example:
        >>> some_of("abcdefg"), some_of([1, 2])
        ('a, b, c and 4 more', '1, 2')
    """
    texts = [cut(str(item), LONGEST_ITEM) for item in items]
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def all_of(items: Iterable[object]) -> str:
    """Return all items as text, with "and" before the last.

    Example:
        >>> all_of("abc"), all_of(["a"])
        ('a, b and c', 'a')
    """
    *others, last = map(str, items)
    return f"{', '.join(others)} and {last}" if others else last


def number_of(count: int, noun: str) -> str:
    """Return a number with its noun in singular or plural.

    Example:
        >>> number_of(1, "picture"), number_of(2000, "picture"), number_of(2, "box")
        ('1 picture', '2,000 pictures', '2 boxes')
    """
    ending = "es" if noun.endswith(("s", "x")) else "s"
    return f"{count:,} {noun}{ending * (count != 1)}"


def counts_in_words(names: Sequence[str], counts: Sequence[int]) -> str:
    """Return the number of labels of each class; of many classes, the fewest and the most.

    Example:
        >>> counts_in_words(["cat", "dog"], [3000, 7])
        "3,000 of 'cat', 7 of 'dog'"
        >>> counts_in_words("abcdefg", [5, 5, 1, 5, 9, 5, 5])
        "1 to 9 of each class, fewest of 'c'"
        >>> counts_in_words("abcdefg", [5] * 7)
        '5 of each class'
    """
    if len(names) <= MOST_COUNTED:
        pairs = zip(names, counts, strict=True)
        return ", ".join(f"{count:,} of {cut(name)!r}" for name, count in pairs)
    least, most = min(counts), max(counts)
    if least == most:
        return f"{most:,} of each class"
    rarest = cut(names[counts.index(least)])
    return f"{least:,} to {most:,} of each class, fewest of {rarest!r}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest known name, or nothing.

    Example:
        >>> nearest("Adma", ["Adamax", "Adam", "CMAC"]), nearest("xyz", ["Adam"])
        (" Did you mean 'Adam'?", '')
    """
    found = nearest_name(name, known)
    return f" Did you mean {found!r}?" if found else ""


def nearest_or_some(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest known name, or else the first of them.

    Example:
        >>> nearest_or_some("ag", ["age", "price"]), nearest_or_some("rooms", ["age", "price"])
        (" Did you mean 'age'?", " There are: 'age', 'price'.")
    """
    known = list(known)
    return nearest(name, known) or f" There are: {some_of(map(repr, known), 8)}."


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name with the fewest typing errors, or else a similar one, or None."""
    candidates = {candidate.lower(): candidate for candidate in known}
    wanted = name.lower()
    if not wanted or len(wanted) > LONGEST_NAME:
        return None
    limit = max(1, len(wanted) // 4)
    errors = {c: typing_errors(wanted, c) for c in candidates}
    best = min(errors, key=lambda c: errors[c], default="")
    if best and errors[best] <= limit:
        return candidates[best]
    beginning = [c for c in candidates if min(len(c), len(wanted)) > 2]
    beginning = [c for c in beginning if c.startswith(wanted) or wanted.startswith(c)]
    alike = difflib.get_close_matches(wanted, candidates, n=1, cutoff=0.6)
    return next((candidates[c] for c in (*sorted(beginning, key=len), *alike)), None)


def typing_errors(a: str, b: str) -> int:
    """Return the number of letters that are missing, extra, wrong or swapped.

    This is the optimal string alignment distance.

    Example:
        >>> typing_errors("adma", "adam"), typing_errors("relu", "elu")
        (1, 1)
    """
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, last, row = row, before, [i, *[0] * len(b)]
        for j, y in enumerate(b, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 < j and x == b[j - 2] and a[i - 2] == y:
                row[j] = min(row[j], last[j - 2] + 1)
    return row[-1]


def as_typed(text: str) -> str:
    """Return a message of the library with its parameters written as command-line options."""

    def option(found: re.Match[str]) -> str:
        name = (found[1] or found[3]).replace("_", "-")
        return f"--{name}{' ' * bool(found[2])}"  # image_size='native' has a value

    return ARGUMENT.sub(option, text)


def duration(seconds: float) -> str:
    """Return a duration in words.

    Example:
        >>> duration(0.42), duration(41.2), duration(150), duration(7320)
        ('0.4 s', '41 s', '2 min 30 s', '2 h 2 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def file_stem(name: str) -> str:
    """Return the name of data as the beginning of a file name.

    Example:
        >>> file_stem("blood cells (1)"), file_stem("…")
        ('blood-cells-1', 'data')
    """
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "data"


def figure_name(name: str) -> str:
    """Return the name of a metric in words.

    Example:
        >>> figure_name("ap50 of cat"), figure_name("absolute_error")
        ('AP50 of cat', 'absolute error')
        >>> figure_name("steps_to:0.95")
        'steps to 0.95'
    """
    metric, of, target = name.replace("steps_to:", "steps to ").partition(" of ")
    return FIGURE_NAMES.get(metric, metric.replace("_", " ")) + of + target
