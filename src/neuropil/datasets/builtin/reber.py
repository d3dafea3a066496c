"""Words of Reber's grammar: short sequences with rules that recurrent networks can learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.checks import number, optional, whole
from neuropil.datasets.data_errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

LETTERS = "PSTVX"
# The two transitions of each state: a letter, and the next state; None is the end.
GRAMMAR: tuple[dict[str, int | None], ...] = (
    {"T": 1, "V": 2},
    {"P": 1, "T": 3},
    {"X": 2, "V": 4},
    {"X": 2, "S": None},
    {"P": 3, "S": None},
)
# The letters that an embedded word may have at both of its ends.
FRAME = "PT"

RandomState = int | np.random.RandomState | None


def make_reber(
    n_words: int = 100, *, embedded: bool = False, random_state: RandomState = None
) -> list[str]:
    """Return words of Reber's grammar.

    A word is a random walk through a graph of five states. Each state has two transitions of
    equal probability, and the letters of the transitions make the word:

    0 → T 1 | V 2, 1 → P 1 | T 3, 2 → X 2 | V 4, 3 → X 2 | S end, 4 → P 3 | S end.

    An embedded word has the same letter, P or T, before and after a word: predicting the last
    letter requires remembering the first.

    Args:
        n_words: Number of words.
        embedded: Whether the words are embedded.
        random_state: Seed or generator, as in scikit-learn.

    Raises:
        ValueError: If `n_words` is not a whole number above 0.

    Reference:
        Reber, "Implicit learning of artificial grammars", 1967; embedded by Cleeremans,
        Servan-Schreiber, McClelland, "Finite state automata and simple recurrent networks",
        1989. They and others write B and E at the ends of each word, or other letters on the
        same graph.

    Example:
        >>> from neuropil.datasets import make_reber
        >>> make_reber(4, random_state=3)
        ['TPTS', 'TPPTS', 'VXVS', 'VXVS']
        >>> make_reber(2, embedded=True, random_state=3)
        ['PTTSP', 'PTPTSP']
    """
    from sklearn.utils import check_random_state

    count = whole(n_words, "make_reber: n_words")
    random = check_random_state(random_state)
    return [word(random, embedded=embedded) for _ in range(count)]


def is_valid_by_reber(word: str, *, embedded: bool = False) -> bool:
    """Return whether a whole word belongs to Reber's grammar.

    The rules are those of `make_reber`.

    Args:
        word: Letters; the empty word and those with other letters are not valid.
        embedded: Whether the word must be embedded between two P or two T.

    Example:
        >>> from neuropil.datasets import is_valid_by_reber
        >>> [is_valid_by_reber(word) for word in ("VVS", "VVPXVS", "VVP", "VVSS")]
        [True, True, False, False]
        >>> [is_valid_by_reber(word, embedded=True) for word in ("TVVST", "PVVST")]
        [True, False]
    """
    if embedded:
        framed = len(word) > 2 and word[0] in FRAME and word[0] == word[-1]
        return framed and is_valid_by_reber(word[1:-1])
    state: int | None = 0
    for letter in word:
        if state is None or letter not in GRAMMAR[state]:
            return False
        state = GRAMMAR[state][letter]
    return state is None


def make_reber_classification(
    n_samples: int = 100,
    *,
    invalid_size: float = 0.5,
    embedded: bool = False,
    errors: int | None = None,
    return_indices: bool = False,
    random_state: RandomState = None,
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return valid and invalid words of Reber's grammar, with their labels.

    Invalid words have the lengths of valid ones, so that the length gives nothing away. Each is
    checked, so that none is valid by chance.

    Shape:
        ``X``: ``(n_samples)`` words, or ``(n_samples, length of the longest)`` indices. ``y``:
        ``(n_samples)``, 1 for valid words and 0 for others, in random order.

    Args:
        n_samples: Number of words.
        invalid_size: Fraction of invalid words, from 0 to 1.
        embedded: Whether valid words are embedded, as in `make_reber`.
        errors: Number of letters of a valid word that are replaced to make it invalid; 1 is the
            hardest. None draws all letters anew.
        return_indices: Whether to return 1 to 5 for the letters P, S, T, V, X, padded on the
            left with zeros, so that every row ends with the last letter of its word:
            ``Embedding(6, …, padding_idx=0)`` takes them.
        random_state: Seed or generator, as in scikit-learn.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> from neuropil.datasets import make_reber_classification
        >>> make_reber_classification(4, errors=1, random_state=3)
        (array(['VXXXVS', 'VSVS', 'VTVS', 'TPPPTS'], dtype='<U6'), array([1, 0, 0, 1]))
        >>> X, y = make_reber_classification(4, return_indices=True, random_state=2)
        >>> X[0].tolist(), y.tolist()  # TTXVPS
        ([0, 0, 3, 3, 5, 4, 1, 2], [1, 1, 0, 0])
    """
    from sklearn.utils import check_random_state

    count = whole(n_samples, "make_reber_classification: n_samples")
    optional(whole)(errors, "make_reber_classification: errors")
    number(invalid_size, "make_reber_classification: invalid_size", "[0, 1]")
    random = check_random_state(random_state)
    y = (np.arange(count) >= round(count * invalid_size)).astype(np.int64)
    random.shuffle(y)
    words = [word(random, embedded=embedded) for _ in range(count)]
    for place in np.flatnonzero(y == 0):
        words[place] = make_invalid(words[place], random, embedded=embedded, errors=errors)
    return (to_indices(words) if return_indices else np.array(words)), y


def to_indices(words: Sequence[str], length: int | None = None) -> np.ndarray[Any, Any]:
    """Return words as rows of indices, 1 to 5 for P, S, T, V, X, padded with zeros on the left.

    Args:
        words: Words of these letters.
        length: Length of the rows; by default that of the longest word.

    Raises:
        DataError: If a word has another letter, or is too long.

    Example:
        >>> to_indices(["VVS", "TPTS"]).tolist()
        [[0, 4, 4, 2], [3, 1, 3, 2]]
    """
    longest = max(map(len, words), default=0)
    length = longest if length is None else length
    if longest > length:
        raise DataError(f"rows of length {length} cannot hold a word of {longest} letters.")
    rows = np.zeros((len(words), length), dtype=np.int64)
    for row, letters in zip(rows, words, strict=True):
        if foreign := set(letters) - set(LETTERS):
            raise DataError(
                f"Reber's words consist of the letters {', '.join(LETTERS)}, got {letters!r} "
                f"with {', '.join(sorted(foreign))}."
            )
        row[length - len(letters) :] = [LETTERS.index(letter) + 1 for letter in letters]
    return rows


def word(random: np.random.RandomState, *, embedded: bool) -> str:
    """Return a word: a random walk through the grammar."""
    if embedded:
        end = FRAME[random.randint(len(FRAME))]
        return end + word(random, embedded=False) + end
    letters = []
    state: int | None = 0
    while state is not None:
        ways = list(GRAMMAR[state].items())
        letter, state = ways[random.randint(len(ways))]
        letters.append(letter)
    return "".join(letters)


def make_invalid(
    valid: str, random: np.random.RandomState, *, embedded: bool, errors: int | None
) -> str:
    """Return an invalid word of the same length."""
    made = valid
    while is_valid_by_reber(made, embedded=embedded):
        letters = list(valid)
        places = range(len(valid))
        if errors is not None:
            places = random.permutation(len(valid))[:errors]
        for place in places:
            others = LETTERS if errors is None else LETTERS.replace(letters[place], "")
            letters[place] = others[random.randint(len(others))]
        made = "".join(letters)
    return made
