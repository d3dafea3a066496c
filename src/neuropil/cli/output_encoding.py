"""Output for terminals and pipes of any encoding: signs that it lacks become plain ones."""

from __future__ import annotations

import codecs
import sys
import unicodedata

from neuropil.text import escaped

HANDLER = "neuropil.plain"
PLAIN = {
    "×": "x", "·": "*", "−": "-", "–": "-", "—": "-", "…": "...", "→": "->", "←": "<-",
    "≥": ">=", "≤": "<=", "≠": "!=", "≈": "~", "±": "+-", "√": "sqrt", "Σ": "sum", "Π": "prod",
    "∞": "inf", "∈": "in", "∂": "d", "∇": "grad", "“": '"', "”": '"', "’": "'", "‘": "'",
    "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "‖": "||", "⊙": "*", "⌀": "0",
    "─": "-", "━": "-", "╸": "-", "╺": "-", "│": "|", "┃": "|",
}  # fmt: skip


def allow_any_encoding() -> None:
    """Let standard output and error take any text, whatever their encoding."""
    codecs.register_error(HANDLER, plain_signs)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=HANDLER)


def plain_signs(error: UnicodeError) -> tuple[str, int]:
    """Return what is written in place of signs that cannot be encoded.

    Raises:
        UnicodeError: When it was reading that failed.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(plain, error.object[error.start : error.end])), error.end


def plain(sign: str) -> str:
    """Return a sign in ASCII: a word for a Greek letter, the letter without its accent, or "?".

    Example:
        >>> "".join(map(plain, "β ≥ 2·é²"))
        'beta >= 2*e^2'
    """
    if sign in PLAIN or escaped(sign) != sign:
        return PLAIN.get(sign, escaped(sign))
    name = unicodedata.name(sign, "")
    if name.startswith("GREEK") and "LETTER" in name:
        return name.split()[-1].lower()
    if unicodedata.combining(sign):
        return "^" if "CIRCUMFLEX" in name else ""
    bare = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    raised = unicodedata.decomposition(sign).startswith("<super>")
    return "^" * raised + bare or "?"
