"""Where the default training changes: the last size that is small, and the next."""

from types import SimpleNamespace

import pytest

from neuropil.layers import Flatten, Input, Softmax
from neuropil.runs.recipes import FEW, picture_recipe, table_recipe


def recipe_for(make, shape, examples):
    splits = SimpleNamespace(train=range(examples), input_shape=shape)
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
