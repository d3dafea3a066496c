"""Learning rates of the variants: chosen on validation, the same for every worker."""

import json

import pytest
from tests.study.small_studies import Interrupts, begin, blobs, recipe, study, without_times

from neuropil.datasets import DataError, Splits
from neuropil.runs.labels import with_encoded_labels
from neuropil.runs.measure import measure
from neuropil.runs.tasks import task_for
from neuropil.study.setups.passed_weights import pair_weights
from neuropil.study.setups.setup import Setup
from neuropil.study.shared_runs.runs_table import RunsTable
from neuropil.study.study_plan import setup_of

OPTIONS = {"tricks": ["tanh", "half_width", "half_of_the_examples"], "tune_lr": True}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    return study(tmp_path_factory.mktemp("study") / "own", **OPTIONS)


def validation_figures(name):
    """Return the accuracy on validation with each learning rate, trained by hand."""
    splits, figures = blobs(), {}
    task = task_for(splits.target)
    for factor in (1.0, 0.5, 2.0):
        base = Setup(recipe(lr=0.02 * factor))
        made = setup_of(name, base, task).recipe
        pair_weights(made.network, base.recipe.network, 1_000_000)
        trainer = task.trainer(made, seed=1_000_000, threads=1, progress=False)
        trainer.fit(
            with_encoded_labels(splits.train, task),
            with_encoded_labels(splits.validation, task),
            epochs=2,
            batch_size=32,
        )
        figures[factor] = measure(made.network, splits.validation, task)["accuracy"]
    return figures


@pytest.mark.parametrize("name", ["baseline", "tanh"])
def test_the_best_on_validation_is_chosen(tuned, name):
    entries = [tuned.found["baseline"], *tuned.found["variants"]]
    (own,) = (each for each in entries if each["name"] == name)
    figures = validation_figures(name)
    assert own["lr"] == max(figures, key=lambda factor: figures[factor])


def test_runs_have_the_chosen_learning_rates(tuned, tmp_path):
    """The baseline is that of a study whose baseline has this learning rate."""
    factor = tuned.found["baseline"]["lr"]
    assert factor != 1
    plain = study(tmp_path, tricks=["tanh"], recipe=recipe(lr=0.02 * factor))
    assert plain.found["baseline"]["figures"] == tuned.found["baseline"]["figures"]


def test_each_factor_is_tried_once_and_not_for_fewer_examples(tuned):
    table = RunsTable.open(tuned.folder / "study.db", tuned.found["study"]["key"])
    names = [row.variant for row in table.rows() if row.seed == 1_000_000]
    assert len(names) == len(set(names)) == 3 * 3
    assert not any("examples" in name for name in names)


@pytest.mark.extended
def test_it_is_the_same_after_interruptions_and_with_two_workers(tmp_path, tuned):
    for after in (2, 4, 3):
        with pytest.raises(KeyboardInterrupt):
            study(tmp_path / "a", **OPTIONS, watch=Interrupts(after))
    assert without_times(study(tmp_path / "a", **OPTIONS).found) == without_times(tuned.found)
    workers = [begin(tmp_path / "b", **OPTIONS) for _ in range(2)]
    assert [each.wait(100) for each in workers] == [0, 0]
    found = json.loads((tmp_path / "b" / "study.json").read_text("utf-8"))
    assert without_times(found) == without_times(tuned.found)


def test_time_is_compared_by_the_accuracy_that_a_learning_rate_gives(tuned, tmp_path):
    found = study(tmp_path, tricks=["tanh"], tune_lr=True, outcome="seconds", seeds=2).found
    assert found["baseline"]["lr"] == tuned.found["baseline"]["lr"]


def test_validation_examples_are_needed(tmp_path):
    splits = blobs()
    none = Splits(
        splits.train, None, splits.test, preparation=splits.preparation, source="here"
    )
    with pytest.raises(DataError, match="chosen on validation examples"):
        study(tmp_path, none, tune_lr=True)


def test_the_time_counts(tmp_path):
    with pytest.raises(ValueError, match="too short: 6 trainings"):
        study(tmp_path, budget=0.01, tune_lr=True)


def test_the_winners_together_have_a_learning_rate_of_their_own(tmp_path):
    given = {"tricks": ["quarter_batch", "momentum"], "outcome": "log_loss", "seeds": 4}
    done = study(tmp_path, recipe=recipe(lr=0.001), tune_lr=True, **given)
    both = done.found["together"]
    assert both["lr"] == 2  # all of them learn too slowly
    table = RunsTable.open(done.folder / "study.db", done.found["study"]["key"])
    tried = [row.variant for row in table.rows() if "of together" in row.variant]
    assert sorted(tried) == [
        f"lr × {k} of together: momentum + quarter_batch" for k in (0.5, 1, 2)
    ]
