"""Reber's grammar, held against a regular expression for the same language."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.datasets import (
    DataError,
    is_valid_by_reber,
    make_reber,
    make_reber_classification,
)
from neuropil.datasets.builtin.reber import to_indices

# The grammar's graph, worked into one expression: through TP*T or VX*V, then round and out.
LANGUAGE = re.compile(r"(TP*T(S|XX*V(PXX*V)*(S|PS)))|(VX*V(PXX*V)*(S|PS))")


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(st.text("PSTVX", max_size=9))
def test_the_grammar_is_that_of_the_expression(word):
    assert is_valid_by_reber(word) == bool(LANGUAGE.fullmatch(word))


def test_every_short_word_is_judged_as_the_expression_does():
    words = [""]
    for _ in range(6):
        words = [word + letter for word in words for letter in "PSTVX"]
        found = {word for word in words if is_valid_by_reber(word)}
        assert found == {word for word in words if LANGUAGE.fullmatch(word)}
    assert len(found) == 7  # walks of six steps from the start to the end, counted by hand


def test_the_words_that_people_quote():
    assert all(map(is_valid_by_reber, ["VVS", "VVPS", "TTS", "TPTXVS", "VXVPXVPS"]))
    assert not any(map(is_valid_by_reber, ["", "V", "SXSXVSXXVX", "VVPSXTTS", "TTS ", "tts"]))


@pytest.mark.parametrize("embedded", [False, True])
def test_what_is_made_is_valid(embedded):
    words = make_reber(300, embedded=embedded, random_state=0)
    assert len(words) == 300
    assert all(is_valid_by_reber(word, embedded=embedded) for word in words)
    frames = {(word[0], word[-1]) for word in words}
    assert frames == ({("P", "P"), ("T", "T")} if embedded else {("T", "S"), ("V", "S")})
    inner = [word[1:-1] if embedded else word for word in words]
    assert all(map(is_valid_by_reber, inner))


def test_an_embedded_word_has_its_first_letter_at_its_end():
    judged = [is_valid_by_reber(f"{a}VVS{b}", embedded=True) for a in "PTS" for b in "PTS"]
    assert judged == [True, False, False, False, True, False, False, False, False]
    assert not any(is_valid_by_reber(word, embedded=True) for word in ("", "T", "TT", "TVVT"))


def test_both_ways_are_taken_equally_often():
    words = make_reber(4000, random_state=0)
    # Each loop goes on with probability 1/2, so half of the words with one turn have no second.
    assert sum(word[0] == "T" for word in words) / 4000 == pytest.approx(0.5, abs=0.03)
    starts = [word for word in words if word[0] == "T"]
    assert sum(word[1] == "P" for word in starts) / len(starts) == pytest.approx(0.5, abs=0.05)
    assert sum(word == "TTS" for word in words) / 4000 == pytest.approx(1 / 8, abs=0.02)


@pytest.mark.parametrize("embedded", [False, True])
@pytest.mark.parametrize("errors", [None, 1, 3])
def test_classes_are_true_and_of_equal_lengths(embedded, errors):
    words, y = make_reber_classification(
        3000, invalid_size=0.4, embedded=embedded, errors=errors, random_state=0
    )
    assert (y == 0).sum() == 1200
    valid = [is_valid_by_reber(str(word), embedded=embedded) for word in words]
    assert np.array_equal(valid, y == 1)
    lengths = np.char.str_len(words)
    means = [lengths[y == k].mean() for k in (0, 1)]
    error = lengths.std() * np.sqrt(1 / 1200 + 1 / 1800)
    assert abs(means[0] - means[1]) < 4 * error


def test_one_error_is_one_letter():
    words, y = make_reber_classification(200, invalid_size=1.0, errors=1, random_state=0)
    assert not y.any()
    for word in map(str, words):
        mended = (
            word[:place] + letter + word[place + 1 :]
            for place in range(len(word))
            for letter in "PSTVX"
        )
        assert any(map(is_valid_by_reber, mended))


def test_indices_are_the_words_with_zeros_in_front():
    words, y = make_reber_classification(50, random_state=7)
    X, same = make_reber_classification(50, return_indices=True, random_state=7)
    assert np.array_equal(y, same)
    assert X.dtype == np.int64
    assert X.shape == (50, max(map(len, words)))
    for word, row in zip(words, X, strict=True):
        padding = len(row) - len(word)
        assert not row[:padding].any()
        assert "".join(".PSTVX"[index] for index in row[padding:]) == word


def test_words_are_drawn_by_seed():
    first, same, other = (make_reber(30, random_state=seed) for seed in (0, 0, 1))
    assert first == same != other
    random = np.random.RandomState(0)
    assert make_reber(30, random_state=random) == first
    assert make_reber(30, random_state=random) != first
    orders = [
        make_reber_classification(30, random_state=seed)[1].tolist() for seed in (0, 0, 1)
    ]
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"words": ["TTS", "TBX"]}, "letters P, S, T, V, X, got 'TBX' with B"),
        ({"words": ["TTS"], "length": 2}, "length 2 cannot hold a word of 3"),
    ],
)
def test_words_that_have_no_indices_are_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        to_indices(**arguments)
