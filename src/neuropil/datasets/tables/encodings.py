"""Turn the bytes of a file into text: by its mark, as UTF-8, or by what letters it has."""

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
"""Byte order marks; those of UTF-32 before those of UTF-16, which they begin with."""
SAMPLE = 2**16
"""Bytes with letters beyond ASCII that an encoding is judged by."""
PLAUSIBLE = 0.85
"""Share of the words in an encoding's usual letters from which a text is taken for it."""
SYMBOLS = frozenset("°²³µ·±×÷½¼¾€£¥§©®™–—‘’“”„…•«»¿¡ºª†‰\xa0\xad")
QUOTES = frozenset("‘’“”„«»–—…\xa0\xad")
"""Signs that stand inside or beside words; the other symbols stand beside numbers."""
BESIDE_ASCII = re.compile(r"(?:(?<=[A-Za-z])([^\x00-\x7f]))|(?:([^\x00-\x7f])(?=[A-Za-z]))")
STRANGE = re.compile(
    r"[½¼¾](?=[^\W\d])|(?<=[^\W\d])[“”„«»](?=[^\W\d])|[ìù](?=[^\W\d])|^(?=.*ø).*[èìùò]"
)
"""What Central European and DOS letters look like in Windows-1252: `¾ena`, `dùm`, `Gr”áe`."""
DOUBLED, RARE_VOWELS = frozenset([1, 4, 8, 10, 13]), frozenset([3, 7, 10, 15])
RARE_FINALS = frozenset([2, 3, 5, 6, 9, 10, 11, 12, 13, 14, 15, 18])


def decode(
    raw: bytes, path: Path, notes: list[str], *, asked: str | None, known: str | None = None
) -> str:
    """Return the text of a file.

    Args:
        raw: The file's bytes.
        path: The file, for errors and notes.
        notes: Gains a line where the encoding was found by its letters.
        asked: Name of the encoding that the user gave, or None to find it.
        known: Name of the encoding of the training data, tried when the file is not Unicode.

    Raises:
        DataError: If the bytes do not fit the encoding, or fit none or several.
    """
    if asked is not None:
        text = decode_as(raw, asked, path)
    else:
        text = as_unicode(raw, path)
        if text is None and known is not None:
            text = decode_as(raw, known, path)
        if text is None:
            name = guess(raw, path)
            text = raw.decode(name)
            notes.append(
                f"{path.name} is not UTF-8: read as {TITLES[name]}; encoding= overrides."
            )
    if "\0" in text:
        raise DataError(f"{path} is not a text table: it holds zero bytes.")
    return text.removeprefix("\ufeff")


def check_encoding(name: str) -> str:
    """Return the name of a text encoding that Python knows.

    Args:
        name: Such as ``"gbk"``.

    Raises:
        DataError: If there is no such encoding.
    """
    try:
        b" ".decode(name, "replace")
    except (LookupError, ValueError):
        pass
    else:
        return name
    raise DataError(
        f"`encoding` {name!r:.60} is not known: name one such as 'utf-8', 'cp1252', 'gb18030', "
        "'shift_jis', 'euc_kr', 'big5' or 'cp1251'."
    )


def decode_as(raw: bytes, name: str, path: Path) -> str:
    """Return the text in an encoding that is known.

    Raises:
        DataError: If the bytes are not in it.
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
    """Return the text of a file in UTF-8, UTF-16 or UTF-32; None if it is in none of them."""
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
    """Return which UTF-16 a file without a mark is in, by the zero bytes of its ASCII."""
    head = raw[:SAMPLE]
    pairs = len(head) // 2
    if len(raw) % 2 or not pairs:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > pairs / 2 and not even:
        return "utf-16-le"
    return "utf-16-be" if even > pairs / 2 and not odd else None


def guess(raw: bytes, path: Path) -> str:
    """Return the encoding whose usual letters the text is made of.

    Raises:
        DataError: If none fits, or several do.
    """
    # Lines with letters beyond ASCII say everything; a long file has more than are needed.
    lines = [line for line in raw[: 2**24].splitlines() if not line.isascii()]
    sample = b"\n".join(lines)
    if len(sample) > SAMPLE and b"\n" in sample[:SAMPLE]:
        sample = sample[: sample.rindex(b"\n", 0, SAMPLE)]
    fitting: dict[str, str] = {}
    for name, share in JUDGES.items():
        try:
            raw.decode(name)
            text = sample.decode(name, errors="ignore")
        except UnicodeDecodeError:
            continue
        if share(text) >= PLAUSIBLE:
            fitting[name] = text
    # Korean bytes are Chinese ones too, but Chinese text makes strange syllables.
    if len({letter for letter in fitting.get("cp949", "") if not letter.isascii()}) >= 5:
        return "cp949"
    if "gb18030" in fitting and all_hangul(sample):
        fitting["cp949"] = ""
    if len(fitting) == 1:
        return next(iter(fitting))
    line = next(number for number, line in enumerate(raw.splitlines(), 1) if not line.isascii())
    why = (
        f"fits several encodings ({some_of(TITLES[name] for name in fitting)})"
        if fitting
        else "cannot be told by its letters"
    )
    raise DataError(
        f"{path}, line {line}: the file is not UTF-8, and its encoding {why}: name it by "
        "encoding=, such as 'cp1252' or 'gb18030'."
    )


def all_hangul(sample: bytes) -> bool:
    """Tell whether several letters are all Korean syllables, of which Chinese ones are few."""
    found = {
        letter for letter in sample.decode("cp949", errors="replace") if not letter.isascii()
    }
    return len(found) >= 5 and all("가" <= letter <= "힣" for letter in found)


def share_of(text: str, usual: Callable[[str], bool]) -> float:
    """Return the share of the distinct characters beyond ASCII that are usual ones.

    Beside an ASCII letter they hardly ever are: that is how Latin letters look in East Asian
    encodings.
    """
    found = {letter for letter in text if not letter.isascii()}
    joined = {letter for pair in BESIDE_ASCII.findall(text) for letter in pair}
    return sum(usual(letter) for letter in found - joined) / max(1, len(found))


def latin_share(text: str) -> float:
    """Return the share of words that Western European text would hold."""
    words = {word for word in re.findall(r"[^\s,;|\"]+", text) if not word.isascii()}
    return sum(map(is_latin_word, words)) / max(1, len(words))


def is_latin_word(word: str) -> bool:
    """Tell whether a word has accents and symbols where Western European words have them."""
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
    """Tell whether a character is among the 3,755 that GB 2312 has for daily use."""
    code = letter.encode("gb2312", errors="ignore")
    return len(code) == 2 and (0xB0 <= code[0] <= 0xD7 or code[0] in (0xA1, 0xA3))


def is_usual_japanese(letter: str) -> bool:
    """Tell whether a character is kana, or among the kanji of JIS level 1."""
    code = letter.encode("shift_jis", errors="ignore")
    return len(code) == 2 and (0x81 <= code[0] <= 0x83 or 0x88 <= code[0] <= 0x97)


def is_usual_hangul(letter: str) -> bool:
    """Tell whether a syllable is made of the frequent parts of Korean writing."""
    if not "가" <= letter <= "힣":
        return False
    first, rest = divmod(ord(letter) - ord("가"), 588)
    vowel, final = divmod(rest, 28)
    return first not in DOUBLED and vowel not in RARE_VOWELS and final not in RARE_FINALS


def traditional_share(text: str) -> float:
    """Return the share of Big5's frequent characters, some of them with a low second byte."""
    # Two in five have one; Chinese and Korean of the mainland never do.
    if not re.search(rb"[\xa4-\xc6][\x40-\x7e]", text.encode("big5", errors="ignore")):
        return 0.0
    return share_of(text, is_usual_traditional)


def is_usual_traditional(letter: str) -> bool:
    """Tell whether a character is among the 5,401 that Big5 has for daily use."""
    code = letter.encode("big5", errors="ignore")
    return len(code) == 2 and (0xA4 <= code[0] <= 0xC6 or code[0] == 0xA1)


JUDGES: dict[str, Callable[[str], float]] = {
    "cp1252": latin_share,
    "gb18030": lambda text: share_of(text, is_usual_hanzi),
    "cp932": lambda text: share_of(text, is_usual_japanese),
    "cp949": lambda text: share_of(text, is_usual_hangul),
    "big5": traditional_share,
}
"""What says of each encoding how much of a text is in its usual letters."""
TITLES = {
    "cp1252": "Windows-1252",
    "gb18030": "GB 18030 (Chinese)",
    "cp932": "Shift-JIS (Japanese)",
    "cp949": "EUC-KR (Korean)",
    "big5": "Big5 (Chinese)",
}
