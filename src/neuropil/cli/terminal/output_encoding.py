"""Output in any encoding: characters that it lacks are replaced by ASCII."""

from __future__ import annotations

import codecs
import sys
import unicodedata

from neuropil.text import escape

HANDLER = "neuropil.plain"
PLAIN = {
    "×": "x", "·": "*", "−": "-", "–": "-", "—": "-", "…": "...", "→": "->", "←": "<-",
    "≥": ">=", "≤": "<=", "≠": "!=", "≈": "~", "±": "+-", "√": "sqrt", "Σ": "sum", "Π": "prod",
    "∞": "inf", "∈": "in", "∂": "d", "∇": "grad", "“": '"', "”": '"', "’": "'", "‘": "'",
    "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "‖": "||", "⊙": "*", "⌀": "0",
    "─": "-", "━": "-", "╸": "-", "╺": "-", "│": "|", "┃": "|",
}  # fmt: skip


def allow_any_encoding() -> None:
    """Make standard output and error accept any text, whatever their encoding."""
    codecs.register_error(HANDLER, plain_signs)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=HANDLER)


def plain_signs(error: UnicodeError) -> tuple[str, int]:
    """Return the ASCII replacement of characters that cannot be encoded.

    Raises:
        UnicodeError: When decoding failed rather than encoding.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(plain, error.object[error.start : error.end])), error.end


def plain(sign: str) -> str:
    """Return a character in ASCII: a Greek letter's name, a letter without its accent, or "?".

    Example:
        >>> "".join(map(plain, "β ≥ 2·é²"))
        'beta >= 2*e^2'
    """
    if sign in PLAIN or escape(sign) != sign:
        return PLAIN.get(sign, escape(sign))
    name = unicodedata.name(sign, "")
    if name.startswith("GREEK") and "LETTER" in name:
        return name.split()[-1].lower()
    if unicodedata.combining(sign):
        return "^" if "CIRCUMFLEX" in name else ""
    bare = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    raised = unicodedata.decomposition(sign).startswith("<super>")
    return "^" * raised + bare or "?"
