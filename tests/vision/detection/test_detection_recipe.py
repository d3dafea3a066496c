"""The recipe of a detector, chosen for the data."""

import pytest
import torch

from neuropil.datasets import Boxes, Dataset, PicturePreparation, Splits
from neuropil.datasets.augmentation import RandomFlip
from neuropil.runs.recipes.default_recipes import cost_of_epoch, recipe
from neuropil.vision.detection.detection_recipe import MOST_STEPS
from neuropil.vision.detection.task import Detection


def pictures(channels, background=None):
    """Return ten pictures of a bright box each."""
    inputs = torch.zeros(10, channels, 48, 64, dtype=torch.uint8)
    inputs[:, :, 10:30, 20:50] = 200
    target = Boxes(["bright"])
    train = Dataset(inputs, target.collate([[[20, 10, 50, 30, 0]]] * 10, "here"))
    preparation = PicturePreparation((channels, 48, 64), target, background=background)
    return Splits(train, None, None, preparation=preparation, source="here")


def recipe_and_task(splits):
    task = Detection(splits.preparation.target).adapt_to_labels(splits.train.targets)
    return recipe(splits, task), task


def test_steps_are_few_and_small_and_boxes_move_along():
    splits = pictures(3)
    made, task = recipe_and_task(splits)
    assert 1 <= 3 * made.epochs <= MOST_STEPS
    assert made.batch_size == 4
    assert made.ema is not None
    assert 0.9 < made.ema < 1
    move = task.bind(made.augment)
    inputs, targets = splits.train.inputs[:4], splits.train.targets[:4]
    moved, boxes = move(inputs, targets, torch.Generator().manual_seed(0))
    assert moved.shape == inputs.shape
    for picture, (x1, y1, x2, y2, _) in zip(moved, boxes[:, 0].tolist(), strict=True):
        bright = (picture.float().mean(0) > 150).nonzero().float()
        found = [*bright.amin(0).flip(0).tolist(), *(bright.amax(0).flip(0) + 1).tolist()]
        assert found == pytest.approx([x1, y1, x2, y2], abs=1.5)


@pytest.mark.parametrize(("channels", "flipped"), [(1, False), (3, True)])
def test_grey_pictures_are_not_flipped(channels, flipped):
    made, _ = recipe_and_task(pictures(channels))
    assert any(isinstance(step, RandomFlip) for step in made.augment.steps) == flipped


@pytest.mark.parametrize(("background", "fill"), [(None, 114.75), (0.8, 204), (0.0, 0)])
def test_zoomed_pictures_are_surrounded_by_their_background(background, fill):
    made, _ = recipe_and_task(pictures(3, background))
    assert made.augment.steps[0].fill == fill


def test_published_weights_are_trained_at_a_lower_rate():
    made, task = recipe_and_task(pictures(3))
    assert len(task.trainer(made, progress=False).optimizer.param_groups) == 1
    trainer = task.adapt_to_weights().trainer(made, progress=False)
    slow, fast = trainer.optimizer.param_groups
    assert slow["lr"] == pytest.approx(0.3 * made.lr)
    assert fast["lr"] == pytest.approx(made.lr)
    counts = [sum(p.numel() for p in group["params"]) for group in (slow, fast)]
    assert sum(counts) == sum(p.numel() for p in made.network.parameters())


def test_a_published_backbone_keeps_its_first_stage():
    splits = pictures(3)
    _, task = recipe_and_task(splits)
    network = task.named_network("resnet20", splits.input_shape)
    assert recipe(splits, task, network).freeze is None
    assert recipe(splits, task.adapt_to_weights(), network).freeze == "stage1"
    whole, frozen = (cost_of_epoch(splits, network, name) for name in (None, "stage1"))
    below = cost_of_epoch(splits, network.upto("stage1"))
    assert whole - frozen == pytest.approx(2 / 3 * below)
