"""The examples of Hebbian learning, each in a small setting."""

import pytest


def test_more_of_the_variance_is_kept_pass_by_pass(example, tmp_path):
    place = tmp_path / "components.png"
    kept = example("oja").main(8, 3, place)
    assert kept == sorted(kept)
    assert kept[-1] > 0.65
    assert place.exists()


def test_the_dog_learns_and_forgets_and_the_orange_is_known(example):
    responds, orange = example("hebb").main()
    assert responds[0] == 0
    assert responds[7] == 1
    assert responds[-1] == 0
    assert orange == pytest.approx([1, -1, -1], abs=0.15)
