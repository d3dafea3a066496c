"""The default network and the default recipe of localisation."""

import pytest
import torch

from neuropil.core import ShapeError
from neuropil.datasets import make_digit_scenes
from neuropil.datasets.augmentation import RandomFlip, RandomZoom
from neuropil.runs.recipes.default_recipes import recipe
from neuropil.vision.localisation.localisation_network import localisation_network
from neuropil.vision.localisation.task import Localisation


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (1, 7, 9), (3, 16, 200), (1, 63, 65), (3, 97, 64)]
)
def test_pictures_of_any_known_size_are_taken(shape):
    network = localisation_network(shape, 3)
    assert network.eval()(torch.rand(2, *shape)).shape == (2, 8)


def test_a_free_size_is_refused():
    with pytest.raises(ShapeError, match=r"localisation needs pictures .* --image-size"):
        localisation_network((3, None, 64), 2)


def test_the_class_does_not_depend_on_the_place_and_the_box_does():
    network = localisation_network((1, 96, 96), 4).eval()
    pictures = torch.zeros(2, 1, 96, 96)
    thing = torch.rand(12, 12)
    pictures[0, 0, 32:44, 32:44] = thing
    pictures[1, 0, 48:60, 40:52] = thing  # a whole number of features further
    (first, second) = network(pictures)
    torch.testing.assert_close(first[5:], second[5:], rtol=1e-4, atol=1e-5)
    assert (first[:5] - second[:5]).abs().max() > 1e-4


def test_the_default_recipe_zooms_and_does_not_flip_grey_pictures():
    splits = make_digit_scenes(40, size=32, digits=1, scale=(2, 3))
    made = recipe(splits, Localisation(splits.preparation.target))
    assert made.network.output_shape == (15,)
    assert made.batch_size == 16
    kinds = {type(step) for step in made.augment.steps}
    assert RandomZoom in kinds
    assert RandomFlip not in kinds
