"""A detector whose features first learn to classify: one network for both, by name."""

from dataclasses import replace

import torch
from tests.study.tricks.tiny_setups import case

from neuropil.datasets import make_digit_scenes
from neuropil.runs.tasks import task_for
from neuropil.study.budget import measure_cost
from neuropil.study.outcomes import Outcome
from neuropil.study.setups.passed_weights import pass_weights
from neuropil.study.setups.training_data import training_data
from neuropil.study.trial import Trial
from neuropil.study.tricks.trick_table import by_name

PRETRAIN = by_name("pretrain")


def test_the_features_of_the_detector_are_passed_on():
    boxes = case("boxes")
    changed = PRETRAIN.change(boxes.setup, boxes.task)
    assert changed.recipe is boxes.setup.recipe
    classifier = changed.first.recipe.network
    assert classifier.output_shape == (10,)
    assert classifier.input_shape == (1, 48, 48)
    passed = {*pass_weights(classifier, changed.recipe.network)}
    backbone = boxes.setup.recipe.network.upto("stage2")
    assert passed == {*backbone.state_dict()}
    assert {*classifier.state_dict()} - passed == {"softmax1.weight", "softmax1.bias"}


def test_the_classifier_is_trained_on_what_is_in_the_boxes():
    boxes = case("boxes")
    first = PRETRAIN.change(boxes.setup, boxes.task).first
    scenes = make_digit_scenes(6, size=48, digits=2, scale=(2, 3), validation=0, test=0)
    splits = training_data(scenes, first, seed=0)
    task = task_for(splits.target, labels=splits.train.targets)
    trainer = task.trainer(first.recipe, seed=0, progress=False, device="cpu")
    trainer.fit((splits.train.inputs, splits.train.targets), epochs=1, batch_size=8)
    assert all(torch.isfinite(weight).all() for weight in first.recipe.network.parameters())
    assert first.recipe.epochs == 2


def test_other_tricks_reach_both_networks():
    boxes = case("boxes")
    both = by_name("elu").change(PRETRAIN.change(boxes.setup, boxes.task), boxes.task)
    passed = pass_weights(both.first.recipe.network, both.recipe.network)
    assert len(passed) == len(boxes.setup.recipe.network.upto("stage2").state_dict())
    assert "Elu" in repr(both.first.recipe.network)
    again = PRETRAIN.change(both, boxes.task)
    assert again == "the network is trained before already"


def test_other_tasks():
    masks = case("masks")
    assert PRETRAIN.change(masks.setup, masks.task) == "the labels are not boxes"


def test_its_cost_has_that_of_the_classifier():
    boxes = case("boxes")
    setup = replace(boxes.setup, recipe=replace(boxes.setup.recipe, epochs=1, batch_size=2))
    scenes = make_digit_scenes(6, size=48, digits=2, scale=(2, 3), validation=0, test=2)
    outcome = Outcome.named(None, boxes.task)
    trial = Trial(scenes, boxes.task, setup)
    alone = measure_cost(setup, trial, outcome)
    both = measure_cost(PRETRAIN.change(setup, boxes.task), trial, outcome)
    assert both.steps > alone.steps
