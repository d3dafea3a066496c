"""Text for a person: nothing that moves a terminal, and suggestions that fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuropil.checks import shown
from neuropil.text import as_typed, nearest_name, one_line, reason, typing_errors, visible


@given(st.text(st.characters()))
def test_nothing_that_a_terminal_acts_on_is_left(text):
    shown = visible(text)
    assert "\x1b" not in shown
    assert not any(0x7F <= ord(sign) < 0xA0 or 0xD800 <= ord(sign) < 0xE000 for sign in shown)
    assert visible(shown) == shown
    assert "\n" not in one_line(text)
    one_line(text).encode()


@pytest.mark.parametrize("text", ["", "cat", "größe", "日本語", "naïve ☃", "a\tb\nc", "👩‍🔬"])
def test_ordinary_text_stays(text):
    assert visible(text) == text


def test_what_is_quoted_is_short():
    assert len(shown("x" * 10**6)) < 70
    assert len(reason(ValueError("x" * 10**6))) <= 400
    assert reason(ValueError("")) == "ValueError"
    assert reason(KeyError("nodes")) == "'nodes' is missing"
    assert reason(ValueError("two\nlines.")) == "two lines"


@pytest.mark.parametrize(
    ("a", "b", "count"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("kitten", "sitting", 3),
        ("gird", "grid", 1),
        ("ca", "abc", 3),
    ],
)
def test_typing_errors_by_hand(a, b, count):
    # "ca" to "abc" is 3 where no part is edited twice (optimal string alignment).
    assert typing_errors(a, b) == typing_errors(b, a) == count


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("Adma", ["Adamax", "Adam", "CMAC", "RMSProp"], "Adam"),
        ("Adma", ["CMAC", "SOFM"], None),
        ("resnt18", ["resnet18", "resnet101"], "resnet18"),
        ("conv", ["Convolution", "Concatenate"], "Convolution"),
        ("step_decayx", ["cosine", "step"], "step"),
        ("SOFTMAX", ["Softmax"], "Softmax"),
        ("x" * 10**6, ["Softmax"], None),
        ("", ["Softmax"], None),
        ("relu", [], None),
    ],
)
def test_the_nearest_name_is_a_likely_one(name, known, found):
    assert nearest_name(name, known) == found


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("set task= to override", "set --task to override"),
        ("set image_size=, for example", "set --image-size, for example"),
        ("set header= to override", "set --header to override"),
        ("set encoding=, for example to 'cp1252'", "set --encoding, for example to 'cp1252'"),
        ("`encoding` 'utf-99' is not known", "--encoding 'utf-99' is not known"),
        ("choose image_size='buckets'.", "choose --image-size 'buckets'."),
        ("1 comment skipped: '# seed=42'", "1 comment skipped: '# seed=42'"),
    ],
)
def test_parameters_are_shown_as_options(message, shown):
    assert as_typed(message) == shown
