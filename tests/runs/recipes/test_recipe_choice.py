"""The recipe of a table: a linear model for a line, hidden layers for a curve."""

from dataclasses import replace

import numpy as np
import pytest

from neuropil import datasets
from neuropil.runs.recipes import recipe_choice
from neuropil.runs.recipes.default_recipes import recipe
from neuropil.runs.recipes.recipe_choice import candidates, choose
from neuropil.runs.tasks import task_for


def opened(folder, function, classes=False):
    """Return a table of two columns with a function of the first, and noise."""
    random = np.random.default_rng(0)
    x = random.uniform(-2, 2, (120, 2))
    y = function(x[:, 0]) + 0.3 * random.normal(size=120)
    lines = [f"{a},{b},{'no' if classes and c < 1 else 'yes' if classes else c}"
             for (a, b), c in zip(x, y, strict=True)]  # fmt: skip
    path = folder / "table.csv"
    path.write_text("\n".join(["a,b,y", *lines, ""]))
    return datasets.open(path)


def chosen(splits, **options):
    """Return the recipe chosen among short trainings."""
    task = task_for(splits.target)
    made = replace(recipe(splits, task), epochs=40)
    return choose(candidates(made, splits, task), splits, task, seed=0, penalty=1.0, **options)


def test_a_line_needs_no_hidden_layers(tmp_path):
    made = chosen(opened(tmp_path, lambda x: 2 * x))
    assert made.choice.startswith("linear model: ")
    assert repr(made.network) == "Input(2) >> Linear(1)"


@pytest.mark.parametrize("classes", [False, True])
def test_a_curve_needs_them(tmp_path, classes):
    made = chosen(opened(tmp_path, np.abs, classes))
    assert made.choice.startswith("40 epochs with ")
    assert made.epochs == 40
    assert "relu2" in made.network.layers
    assert ", 5 tried on " in made.choice


def test_the_same_seed_gives_the_same_errors(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe_choice, "TRIAL_STEPS", 1)
    splits = opened(tmp_path, np.abs)
    first, second = (chosen(splits).choice for _ in range(2))
    assert first == second


def test_rows_that_belong_together_are_measured_on_the_validation_part_alone(tmp_path):
    splits = opened(tmp_path, lambda x: 2 * x)
    assert len(splits.validation) == 12
    assert (
        "on 12 rows left out of training, none of the test"
        in chosen(splits, grouped=True).choice
    )


def test_trials_end_after_their_number_of_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe_choice, "TRIAL_STEPS", 1)
    splits = opened(tmp_path, np.abs)
    assert "on 20 rows left out of training" in chosen(splits).choice  # a fifth of 84 + 12


def test_a_recipe_that_diverges_is_not_chosen(tmp_path):
    splits = opened(tmp_path, lambda x: 2 * x)
    task = task_for(splits.target)
    tried = candidates(replace(recipe(splits, task), epochs=4), splits, task)
    tried[2].recipe = replace(tried[2].recipe, lr=1e12)
    assert "linear model" in choose(tried, splits, task, seed=0, penalty=1.0).choice


def test_one_row_in_each_part_drops_no_recipe(tmp_path):
    splits = opened(tmp_path, lambda x: 2 * x)
    splits.train, splits.validation = splits.train[:4], splits.validation[:1]
    assert " 5 tried on 5 rows left out" in chosen(splits).choice
