"""Where the default training changes: the last size that is small, and the next."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from neuropil import datasets
from neuropil.datasets import Numbers
from neuropil.datasets.augmentation import Compose, RandomFlip, RandomShift
from neuropil.layers import Flatten, Input, Softmax
from neuropil.runs.recipes import FEW, picture_recipe, recipe, table_recipe
from neuropil.runs.tasks import task_for


def recipe_for(make, shape, examples):
    splits = SimpleNamespace(
        train=range(examples), input_shape=shape, preparation=SimpleNamespace(pads=False)
    )
    return make(splits, Input(*shape) >> Flatten() >> Softmax(2))


@pytest.mark.parametrize(("examples", "batch_size"), [(FEW - 1, 32), (FEW, 128)])
def test_small_tables_are_trained_in_small_batches(examples, batch_size):
    assert recipe_for(table_recipe, (3,), examples).batch_size == batch_size


@pytest.mark.parametrize(("examples", "few"), [(FEW - 1, True), (FEW, False)])
def test_few_pictures_are_shifted_and_their_weights_averaged(examples, few):
    recipe = recipe_for(picture_recipe, (1, 8, 8), examples)
    assert recipe.batch_size == (64 if few else 128)
    assert (recipe.augment is not None) is few
    assert recipe.ema == (0.99 if few else None)


@pytest.mark.parametrize("augment", [RandomFlip(1.0), Compose(RandomShift(0), RandomFlip(1.0))])
def test_targets_with_a_place_move_along_in_their_own_units(augment, monkeypatch):
    made = replace(recipe_for(picture_recipe, (1, 8, 8), 20), augment=augment)
    task = task_for(Numbers((100.0,), (20.0,)))
    batch = torch.rand(3, 1, 8, 8), task.encode(torch.tensor([100.0, 120.0, 60.0]))
    assert task.trainer(made).options.augment is augment

    def move(self, targets, matrix, size):
        assert size == (8, 8)
        return matrix[:, 0, 0] * targets + 10 * matrix[:, 0, 2]

    monkeypatch.setattr(Numbers, "move", move)
    bound = task.trainer(made).options.augment
    assert repr(bound) == repr(augment)
    pictures, targets = bound(*batch, torch.Generator())
    assert torch.equal(pictures, batch[0].flip(-1))
    assert task.restore(targets).tolist() == [-20, -40, 20]


@pytest.mark.parametrize("told", [False, True])
def test_pictures_whose_size_tells_the_class_are_not_normalised_over_batches(tmp_path, told):
    for number in range(60):
        side = 8 + 24 * (number % 2 if told else number % 3 == 0)
        file = tmp_path / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(exist_ok=True)
        Image.new("L", (side, side), number).save(file)
    opened = datasets.open(tmp_path, image_size="buckets")
    network = recipe(opened, task_for(opened.target)).network
    assert ("GroupNorm(8)" in str(network), "BatchNorm()" in str(network)) == (told, not told)
    assert any("go with the targets" in note for note in opened.notes) == told
