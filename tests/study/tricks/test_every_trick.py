"""What holds for every trick: it gives a setup that trains, or a reason in one line."""

from dataclasses import replace

import pytest
import torch
from tests.study.tricks.tiny_setups import CASES, case

from neuropil.layers import Input
from neuropil.runs.recipes.recipe import Recipe
from neuropil.study.setups.setup import Setup
from neuropil.study.tricks.trick_table import TRICKS

PAIRS = [(trick, name) for trick in TRICKS for name in CASES]


def setups_in(setup):
    while setup is not None:
        yield setup
        setup = setup.first


def gradients(network, examples, size):
    """Return the loss of one step and all gradients."""
    inputs, task = examples.inputs.float(), examples.task
    if size is not None:
        inputs = torch.nn.functional.interpolate(inputs, size)
    scores = (network.scores() if task.takes == "scores" else network).train()(inputs)
    targets = task.loss.prepare(task.encode(examples.targets), scores)
    loss = task.loss(scores, targets).mean()
    loss.backward()
    return [loss, *(parameter.grad for parameter in network.parameters())]


@pytest.mark.parametrize(("trick", "name"), PAIRS, ids=lambda one: getattr(one, "name", one))
def test_it_gives_what_trains_or_a_reason(trick, name):
    examples = case(name)
    setup = examples.setup
    network = setup.recipe.network
    before = {key: value.clone() for key, value in network.state_dict().items()}
    text = repr(setup)
    changed = trick.change(setup, examples.task)
    assert repr(setup) == text
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    if isinstance(changed, str):
        assert changed
        assert changed == changed.strip().rstrip(".")
        assert "\n" not in changed
        return
    assert changed != setup
    for part in setups_in(changed):
        new = part.recipe.network
        if part.crops:  # it classifies
            continue
        assert new.output_shapes == network.output_shapes
        if new is not network:
            for value in gradients(new, examples, part.size):
                assert value is not None
                assert torch.isfinite(value).all()


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name)
def test_its_recipe_can_be_trained(trick):
    """One epoch of the trainer, with its schedule, optimiser and augmentation."""
    examples = case("tiny pictures")
    changed = trick.change(examples.setup, examples.task)
    if isinstance(changed, str) or changed.recipe.network is not examples.setup.recipe.network:
        return
    recipe = replace(
        changed.recipe,
        network=Input(1, 8, 8) >> examples.task.network((1, 8, 8)).after("input1"),
    )
    trainer = examples.task.trainer(recipe, seed=0, progress=False, device="cpu")
    trainer.fit((examples.inputs, examples.targets), epochs=1, batch_size=recipe.batch_size)
    assert all(torch.isfinite(weight).all() for weight in recipe.network.parameters())


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name)
def test_it_also_changes_what_is_trained_before(trick):
    examples = case("tiny pictures")
    earlier = replace(examples.setup, recipe=replace(examples.setup.recipe, epochs=3))
    setup = replace(examples.setup, first=earlier)
    alone, both = (trick.change(each, examples.task) for each in (earlier, setup))
    if isinstance(both, Setup):
        assert repr(both.first) == repr(alone)
    else:
        assert isinstance(alone, str) or trick.group == "picture size"


def test_tricks_for_an_optimiser_that_takes_all_examples():
    examples = case("table")
    recipe = Recipe(examples.setup.recipe.network, "quasi_newton", None, None, None, 100, 99)
    applied = {
        trick.name
        for trick in TRICKS
        if trick.group in {"schedule", "batch size", "optimiser", "regularisation", "data"}
        and isinstance(trick.change(Setup(recipe), examples.task), Setup)
    }
    assert applied == {
        *("half_of_the_examples", "quarter_of_the_examples", "eighth_of_the_examples")
    }
