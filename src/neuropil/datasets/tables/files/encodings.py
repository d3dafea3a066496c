"""Detection of text encodings: by byte order mark, as UTF-8, or by typical letters."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from neuropil.datasets.data_errors import DataError
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks; those of UTF-32 come first, since they begin with those of UTF-16."""
NO_TEXT = {
    b"\x1f\x8b\x08": ("compressed by gzip", ".csv.gz"),
    b"BZh": ("compressed by bzip2", ".csv.bz2"),
    b"\xfd7zXZ\x00": ("compressed by xz", ".csv.xz"),
    b"\x28\xb5\x2f\xfd": ("compressed by Zstandard", ".csv.zst"),
    b"PK\x03\x04": ("a ZIP archive or a workbook", ".csv.zip or .xlsx"),
    b"\xd0\xcf\x11\xe0": ("a workbook", ".xls"),
    b"PAR1": ("a Parquet file", ".parquet"),
    b"ARROW1": ("a Feather file", ".feather"),
}
"""First bytes of files of other kinds, what they are, and the ending of their names."""
SAMPLE = 2**16
"""Number of bytes of lines with non-ASCII letters used to detect the encoding."""
PLAUSIBLE = 0.85
"""Smallest share of words in an encoding's usual letters with which it is accepted."""
SYMBOLS = frozenset("°²³µ·±×÷½¼¾€£¥§©®™–—‘’“”„…•«»¿¡ºª†‰\xa0\xad")
QUOTES = frozenset("‘’“”„«»–—…\xa0\xad")
"""Symbols inside or beside words; the other symbols occur beside numbers."""
BESIDE_ASCII = re.compile(r"(?:(?<=[A-Za-z])([^\x00-\x7f]))|(?:([^\x00-\x7f])(?=[A-Za-z]))")
STRANGE = re.compile(
    r"[½¼¾](?=[^\W\d])|(?<=[^\W\d])[“”„«»](?=[^\W\d])|[ìù](?=[^\W\d])|^(?=.*ø).*[èìùò]"
)
"""Central European and DOS letters read as Windows-1252: `¾ena`, `dùm`, `Gr”áe`."""
DOUBLED, RARE_VOWELS = frozenset([1, 4, 8, 10, 13]), frozenset([3, 7, 10, 15])
RARE_FINALS = frozenset([2, 3, 5, 6, 9, 10, 11, 12, 13, 14, 15, 18])


def decode(
    raw: bytes, path: Path, notes: list[str], *, asked: str | None, known: str | None = None
) -> str:
    """Return the text of a file.

    Args:
        raw: Bytes of the file.
        path: The file, for errors and notes.
        notes: Gains a line if the encoding was detected by its letters.
        asked: Name of the encoding that the user gave, or None to detect it.
        known: Name of the encoding of the training data, tried if the file is not Unicode.

    Raises:
        DataError: If the bytes are not valid in the encoding, or it cannot be detected.
    """
    if asked is not None:
        text = decode_as(raw, asked, path)
    else:
        text = as_unicode(raw, path)
        if text is None and known is not None:
            text = decode_as(raw, known, path)
        if text is None:
            check_text(raw, path)
            name = guess(raw, path)
            text = raw.decode(name)
            notes.append(
                f"{path.name} is not UTF-8: read as {ENCODINGS[name][0]}; set encoding= to "
                "override."
            )
    if "\0" in text:
        raise DataError(f"{path} is not a text table: it contains zero bytes.")
    return text.removeprefix("\ufeff")


def check_encoding(name: str) -> str:
    """Return the name of a text encoding that Python knows.

    Args:
        name: Such as ``"gbk"``.

    Raises:
        DataError: If the encoding is unknown.
    """
    try:
        b" ".decode(name, "replace")
    except (LookupError, ValueError):
        raise DataError(
            f"`encoding` {name!r:.60} is not known: choose one such as 'utf-8', 'cp1252', "
            "'gb18030', 'shift_jis', 'euc_kr', 'big5' or 'cp1251'."
        ) from None
    return name


def decode_as(raw: bytes, name: str, path: Path) -> str:
    """Return the text in the given encoding.

    Raises:
        DataError: If the bytes are not valid in it.
    """
    for mark, own in MARKS:
        if raw.startswith(mark) and own.startswith("utf-8") == name.startswith("utf-8"):
            raw, name = raw[len(mark) :], own
            break
    try:
        return raw.decode(name)
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = raw.count(b"\n", 0, start) + 1
        raise DataError(f"{path}, line {line}: the bytes are not text in {name}.") from None


def as_unicode(raw: bytes, path: Path) -> str | None:
    """Return the text of a file in UTF-8, UTF-16 or UTF-32; None for other encodings."""
    for mark, name in MARKS:
        if raw.startswith(mark):
            return decode_as(raw[len(mark) :], name, path)
    if (name := unmarked_utf16(raw)) is not None:
        return decode_as(raw, name, path)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def unmarked_utf16(raw: bytes) -> str | None:
    """Return the UTF-16 variant of a file without a mark, by the zero bytes of its ASCII."""
    head = raw[:SAMPLE]
    pairs = len(head) // 2
    if len(raw) % 2 or not pairs:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > pairs / 2 and not even:
        return "utf-16-le"
    return "utf-16-be" if even > pairs / 2 and not odd else None


def check_text(raw: bytes, path: Path) -> None:
    """Refuse bytes that are a file of another kind, such as a compressed one.

    Raises:
        DataError: If they begin as such files do.
    """
    for mark, (kind, suffix) in NO_TEXT.items():
        if raw.startswith(mark):
            raise DataError(f"{path} is {kind}, not text: give its name the ending {suffix}.")


def guess(raw: bytes, path: Path) -> str:
    """Return the encoding whose usual letters the text consists of.

    Raises:
        DataError: If no encoding fits, or several do.
    """
    # Only lines with non-ASCII letters matter; a long file has more of them than needed.
    lines = [line for line in raw[: 2**24].splitlines() if not line.isascii()]
    sample = b"\n".join(lines)
    if len(sample) > SAMPLE and b"\n" in sample[:SAMPLE]:
        sample = sample[: sample.rindex(b"\n", 0, SAMPLE)]
    fitting: dict[str, str] = {}
    for name, (_, share) in ENCODINGS.items():
        try:
            raw.decode(name)
            text = sample.decode(name, errors="ignore")
        except UnicodeDecodeError:
            continue
        if share(text) >= PLAUSIBLE:
            fitting[name] = text
    # Korean bytes are also valid Chinese, but Chinese text read as Korean has rare syllables.
    if len({letter for letter in fitting.get("cp949", "") if not letter.isascii()}) >= 5:
        return "cp949"
    if "gb18030" in fitting and all_hangul(sample):
        fitting["cp949"] = ""
    if len(fitting) == 1:
        return next(iter(fitting))
    line = next(number for number, line in enumerate(raw.splitlines(), 1) if not line.isascii())
    titles = some_of(ENCODINGS[name][0] for name in fitting)
    why = f"fits several encodings ({titles})" if fitting else "cannot be detected"
    raise DataError(
        f"{path}, line {line}: the file is not UTF-8, and its encoding {why}: set encoding=, "
        "for example to 'cp1252' or 'gb18030'."
    )


def all_hangul(sample: bytes) -> bool:
    """Return whether all non-ASCII letters are Korean syllables, which is rare for Chinese."""
    found = {
        letter for letter in sample.decode("cp949", errors="replace") if not letter.isascii()
    }
    return len(found) >= 5 and all("가" <= letter <= "힣" for letter in found)


def share_of(text: str, usual: Callable[[str], bool]) -> float:
    """Return the share of usual characters among the distinct non-ASCII ones.

    Characters beside an ASCII letter do not count as usual: Latin letters read in an East Asian
    encoding look like that.
    """
    found = {letter for letter in text if not letter.isascii()}
    joined = {letter for pair in BESIDE_ASCII.findall(text) for letter in pair}
    return sum(usual(letter) for letter in found - joined) / max(1, len(found))


def latin_share(text: str) -> float:
    """Return the share of words that are plausible in Western European text."""
    words = {word for word in re.findall(r"[^\s,;|\"]+", text) if not word.isascii()}
    return sum(map(is_latin_word, words)) / max(1, len(words))


def is_latin_word(word: str) -> bool:
    """Return whether the accents and symbols of a word are plausible in Western Europe."""
    if STRANGE.search(word):
        return False
    for place, letter in enumerate(word):
        if letter.isascii():
            continue
        around = word[max(0, place - 1) : place], word[place + 1 : place + 2]
        if letter in SYMBOLS:
            others = [other for other in around if not other.isascii() and other not in QUOTES]
            between = all(map(str.isalpha, around)) and letter not in QUOTES
            if between or (others and letter not in QUOTES):
                return False
        elif (
            not letter.isalpha()
            or letter in "ªºƒˆ˜¯ŸþÞðÐ"
            or (letter.isupper() and around[0].islower())
        ):
            return False
    letters = [letter for letter in word if letter.isalpha()]
    ascii_letters = sum(map(str.isascii, letters))
    return ascii_letters > 0 or not letters or len(word) == 1


def is_usual_hanzi(letter: str) -> bool:
    """Return whether a character is one of the 3,755 of GB 2312 level 1, for daily use."""
    code = letter.encode("gb2312", errors="ignore")
    return len(code) == 2 and (0xB0 <= code[0] <= 0xD7 or code[0] in (0xA1, 0xA3))


def is_usual_japanese(letter: str) -> bool:
    """Return whether a character is a kana, or a kanji of JIS level 1."""
    code = letter.encode("shift_jis", errors="ignore")
    return len(code) == 2 and (0x81 <= code[0] <= 0x83 or 0x88 <= code[0] <= 0x97)


def is_usual_hangul(letter: str) -> bool:
    """Return whether a character is a Korean syllable of frequent letters."""
    if not "가" <= letter <= "힣":
        return False
    first, rest = divmod(ord(letter) - ord("가"), 588)
    vowel, final = divmod(rest, 28)
    return first not in DOUBLED and vowel not in RARE_VOWELS and final not in RARE_FINALS


def traditional_share(text: str) -> float:
    """Return the share of Big5's frequent characters; some must have a low second byte."""
    # Two in five do in Big5, but none in GB 2312 and EUC-KR.
    if not re.search(rb"[\xa4-\xc6][\x40-\x7e]", text.encode("big5", errors="ignore")):
        return 0.0
    return share_of(text, is_usual_traditional)


def is_usual_traditional(letter: str) -> bool:
    """Return whether a character is one of the 5,401 of Big5 level 1, for daily use."""
    code = letter.encode("big5", errors="ignore")
    return len(code) == 2 and (0xA4 <= code[0] <= 0xC6 or code[0] == 0xA1)


ENCODINGS: dict[str, tuple[str, Callable[[str], float]]] = {
    "cp1252": ("Windows-1252", latin_share),
    "gb18030": ("GB 18030 (Chinese)", lambda text: share_of(text, is_usual_hanzi)),
    "cp932": ("Shift-JIS (Japanese)", lambda text: share_of(text, is_usual_japanese)),
    "cp949": ("EUC-KR (Korean)", lambda text: share_of(text, is_usual_hangul)),
    "big5": ("Big5 (Chinese)", traditional_share),
}
"""Title of each encoding, and a function that returns the share of usual letters or words."""
