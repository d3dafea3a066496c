"""Tricks of the recipe, the sizes and the data: what changes, and nothing else."""

from dataclasses import fields, replace

import pytest
from tests.study.tricks.tiny_setups import CLASSIFICATION, case, classes, residual, setup_of

from neuropil import join
from neuropil.analysis import cost
from neuropil.architectures import caffenet128, varied_convolutional
from neuropil.datasets.augmentation import (
    ColorJitter,
    Compose,
    RandomCrop,
    RandomFlip,
    RandomRotation,
    RandomShift,
)
from neuropil.layers import Convolution, Flatten, Input, Relu, Softmax
from neuropil.study.setups.setup import Setup
from neuropil.study.tricks.trick_table import by_name


def table():
    return case("table").setup


def pictures(**options):
    return setup_of(residual(), **options)


def changes(name, setup, task=CLASSIFICATION):
    """Return the settings of the recipe that a trick changes, or why it does not apply."""
    changed = by_name(name).change(setup, task)
    if isinstance(changed, str):
        return changed
    assert replace(changed, recipe=setup.recipe) == setup
    old, new = vars(setup.recipe), vars(changed.recipe)
    return {
        field.name: new[field.name]
        for field in fields(setup.recipe)
        if repr(new[field.name]) != repr(old[field.name])
    }


# Augmentation


def test_augmentations_are_added():
    assert repr(changes("flips", pictures())) == "{'augment': RandomFlip()}"
    both = changes("flips", pictures(augment=RandomShift(1)))["augment"]
    assert repr(both) == repr(Compose(RandomShift(1), RandomFlip()))
    again = Setup(replace(pictures().recipe, augment=both))
    assert changes("flips", again) == "the pictures are flipped already"
    assert changes("shifts", again) == "the pictures are shifted already"
    three = changes("rotation_5", again)["augment"]
    assert [type(step) for step in three.steps] == [RandomShift, RandomFlip, RandomRotation]


def test_augmentations_fit_the_pictures():
    wide = setup_of(join(Input(3, 48, 30), Flatten(), Softmax(4)))
    assert changes("shifts", wide)["augment"].pixels == 2
    assert changes("shifts", case("tiny pictures").setup) == "the pictures are shifted already"
    varied = setup_of(varied_convolutional((1, None, None), 4))
    assert changes("shifts", varied)["augment"].pixels == 2
    assert changes("colors", pictures())["augment"].saturation > 0
    assert changes("colors", varied)["augment"].saturation == 0
    assert changes("flips", table()) == "the inputs are not pictures"


def test_no_augmentation():
    assert changes("no_augmentation", pictures(augment=ColorJitter(0.1))) == {"augment": None}
    assert changes("no_augmentation", pictures()) == "the pictures are not augmented"


# Schedule


def test_schedules():
    assert changes("linear_decay", table()) == {"schedule": "linear"}
    assert changes("constant_rate", table()) == {"schedule": None}
    already = "the learning rate follows that schedule already"
    assert changes("one_cycle", table()) == already
    assert changes("cosine_decay", pictures(schedule="cosine_decay")) == already
    assert changes("constant_rate", pictures(schedule=None)) == already


# Batch size


@pytest.mark.parametrize(
    ("name", "size", "rate"),
    [
        ("quarter_batch", 2, None),
        ("quarter_batch_and_rate", 2, 1e-3),
        ("fourfold_batch", 32, None),
        ("fourfold_batch_and_rate", 32, 16e-3),
    ],
)
def test_batch_sizes(name, size, rate):
    found = changes(name, table())
    assert found.pop("batch_size") == size
    assert found == ({} if rate is None else {"lr": pytest.approx(rate)})


def test_the_rate_follows_the_batch_that_there_is():
    """A quarter of six is rounded to two, a third."""
    few = Setup(replace(table().recipe, batch_size=6))
    found = changes("quarter_batch_and_rate", few)
    assert found == {"batch_size": 2, "lr": pytest.approx(4e-3 / 3)}
    fewest = Setup(replace(table().recipe, batch_size=2))
    assert changes("quarter_batch", fewest) == "batches of 2 examples are the smallest"


# Optimiser and weight decay


def test_optimisers_come_with_their_defaults():
    assert changes("adam", table()) == {"optimizer": "adam", "lr": 1e-3, "weight_decay": 0.0}
    assert changes("nesterov", table())["optimizer"] == "momentum(nesterov=True)"
    assert changes("adamw", table()) == "the optimiser is adamw already"
    swift = Setup(replace(table().recipe, optimizer="Momentum(nesterov=True)"))
    assert changes("nesterov", swift) == "the optimiser is Momentum(nesterov=True) already"
    assert changes("momentum", swift)["optimizer"] == "momentum"


def test_weight_decay():
    assert changes("more_weight_decay", table()) == {"weight_decay": pytest.approx(0.1)}
    assert changes("less_weight_decay", table()) == {"weight_decay": pytest.approx(1e-3)}
    assert changes("no_weight_decay", table()) == {"weight_decay": 0.0}
    for none in (0.0, None):
        setup = pictures(weight_decay=none)
        assert changes("more_weight_decay", setup) == "the optimiser has no weight decay"


# Data


@pytest.mark.parametrize(("name", "part"), [("half", 2), ("quarter", 4), ("eighth", 8)])
def test_fewer_examples_take_as_many_steps(name, part):
    changed = by_name(f"{name}_of_the_examples").change(table(), CLASSIFICATION)
    assert changed.fraction == 1 / part
    assert changed.recipe == replace(table().recipe, epochs=8 * part)


@pytest.mark.parametrize("percent", [5, 10, 15, 50])
def test_label_noise(percent):
    trick = by_name(f"label_noise_{percent}")
    assert trick.change(table(), CLASSIFICATION) == replace(table(), noise=percent / 100)
    boxes = case("boxes")
    why = "labels are boxes: only classes can be wrong"
    assert trick.change(boxes.setup, boxes.task) == why


# Sizes


def sized(name, setup, task=CLASSIFICATION):
    return by_name(name).change(setup, task)


@pytest.mark.parametrize(
    ("name", "size"),
    [("half_size", (4, 4)), ("three_quarter_size", (6, 6)), ("double_size", (16, 16))],
)
def test_other_sizes(name, size):
    changed = sized(name, pictures())
    assert changed.size == size
    assert changed.recipe.network.input_shape == (3, *size)
    assert replace(changed.recipe, network=pictures().recipe.network) != changed.recipe


def test_the_first_stride_goes_with_the_size():
    network = caffenet128(4, width=0.0625, input_shape=(3, 64, 64))
    for name, size, window in (
        ("double_size_and_stride", 128, "5, stride=(4, 4)"),
        ("half_size_and_stride", 32, "(3, 3)"),
    ):
        changed = sized(name, setup_of(network))
        assert changed.size == (size, size)
        assert window in repr(changed.recipe.network.convolution1).replace("(5, 5)", "5")
    assert "the first convolution has an odd stride" in sized(
        "half_size_and_stride", pictures()
    )
    plain = setup_of(join(Input(3, 8, 8), Flatten(), Relu(4), Softmax(4)))
    assert sized("double_size_and_stride", plain) == "the network has no convolution"


def test_small_pictures_first_cost_about_as_much():
    setup = Setup(replace(pictures().recipe, epochs=40))
    changed = sized("small_then_large", setup)
    small, large = changed.first, changed.recipe
    assert (small.size, changed.size, small.first) == ((4, 4), None, None)
    assert large == replace(setup.recipe, epochs=10)
    each, full = (cost(one.network).multiply_adds for one in (small.recipe, large))
    assert small.recipe.epochs * each + 10 * full == pytest.approx(40 * full, rel=0.05)
    names = [*small.recipe.network.state_dict()]
    assert names == [*setup.recipe.network.state_dict()]


def test_a_single_epoch_is_not_divided():
    setup = Setup(replace(pictures().recipe, epochs=1))
    assert sized("small_then_large", setup) == "a single epoch cannot be divided"


def test_pictures_that_cannot_be_resized():
    boxes = case("boxes")
    assert sized("half_size", boxes.setup, boxes.task) == "boxes have a place in the picture"
    assert sized("half_size", table()) == "the inputs are not pictures of one size"
    varied = setup_of(varied_convolutional((1, None, None), 4))
    assert sized("half_size", varied) == "the inputs are not pictures of one size"
    cropped = pictures(augment=Compose(RandomFlip(), RandomCrop(8)))
    assert sized("half_size", cropped) == "the augmentation gives pictures of a fixed size"
    twice = sized("small_then_large", pictures())
    assert sized("double_size", twice) == "the network is trained at several sizes"


def test_a_network_that_a_size_does_not_fit():
    network = join(Input(3, 8, 8), Convolution(4, 7), Flatten(), Softmax(4))
    assert sized("half_size", setup_of(network)).startswith("the network does not allow it: ")


def test_tricks_follow_each_other():
    """The winners together: each changes what those before it gave."""
    examples = classes(residual())
    setup = examples.setup
    for name in ("elu", "flips", "small_then_large", "linear_decay", "half_width", "adam"):
        setup = by_name(name).change(setup, examples.task)
    for part in (setup, setup.first):
        assert (part.recipe.schedule, part.recipe.optimizer) == ("linear", "adam")
        assert "Elu" in repr(part.recipe.network)
    assert setup.first.recipe.network.upto("stage1").output_shape == (4, 2, 2)
