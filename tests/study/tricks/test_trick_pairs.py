"""Pairs of tricks, and grids of them."""

import pytest
from tests.study.tricks.tiny_setups import CLASSIFICATION, case

from neuropil.study.study_plan import joined, setup_of, tricks_named
from neuropil.study.tricks.trick_table import TRICKS, by_name


def network(name):
    own = case("pictures")
    return repr(setup_of(name, own.setup, own.task).recipe.network)


def test_a_pair_makes_both_changes():
    own = case("pictures")
    both = setup_of("tanh+cosine_decay", own.setup, own.task).recipe
    assert "Tanh()" in repr(both.network)
    assert both.schedule == "cosine"
    assert network("tanh+half_width") == network("half_width+tanh")


def test_a_pair_needs_both():
    own = case("pictures")
    change = by_name("tanh+relu").change(own.setup, own.task)
    assert "Relu()" in repr(change.recipe.network)  # one after the other
    assert isinstance(by_name("relu+half_width").change(own.setup, own.task), str)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (["tanh+flips"], ["tanh", "flips", "tanh+flips"]),
        ("tanh+flips", ["tanh", "flips", "tanh+flips"]),
        (
            ["TANH+colour-space", "tanh"],
            ["tanh", "learned_colorspace", "tanh+learned_colorspace"],
        ),
        (
            ["width+tanh"],
            ["double_width", "half_width", "tanh", "double_width+tanh", "half_width+tanh"],
        ),
    ],
)
def test_a_grid_has_each_side_alone_and_each_pair(asked, names):
    assert [trick.name for trick in tricks_named(asked)] == names


def test_a_grid_of_everything_leaves_out_pairs_of_one_group_and_questions():
    names = [trick.name for trick in tricks_named(["elu+all"])]
    assert names[: len(TRICKS)][1:] == [each.name for each in TRICKS if each.name != "elu"]
    pairs = names[len(TRICKS) :]
    others = [t for t in TRICKS if t.group not in ("activation", "data", "labels")]
    assert pairs == [f"elu+{each.name}" for each in others]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("elu+gelu", "elu.gelu has no pair: a grid takes tricks of two groups"),
        ("elu+label_noise_5", "has no pair"),
        ("elu+flips+zoom", "a grid has two sides, got 'elu.flips.zoom' with 3"),
        ("elu+", "There is no trick ''"),
        ("elo+flips", "Did you mean 'elu'"),
    ],
)
def test_bad_grids_are_refused(asked, words):
    with pytest.raises(ValueError, match=words):
        tricks_named([asked])


def test_of_a_pair_and_its_parts_the_best_is_used():
    own = case("pictures")
    for names, used in (
        (["tanh+half_width", "tanh", "cosine_decay"], ["tanh+half_width", "cosine_decay"]),
        (["tanh", "tanh+half_width", "half_width"], ["tanh", "half_width"]),
    ):
        assert joined(names, own.setup, CLASSIFICATION)[1] == used
