"""A study of the data alone, without a trick to compare; and when two questions are one."""

from dataclasses import replace

from tests.study.small_studies import blobs, recipe, study

from neuropil.runs.tasks import task_for
from neuropil.study.outcomes import Outcome
from neuropil.study.study_plan import tricks_named
from neuropil.study.study_question import Question


def test_the_learning_curve_has_the_baseline(tmp_path):
    found = study(tmp_path, tricks=["half_of_the_examples", "quarter_of_the_examples"]).found
    assert len(found["baseline"]["figures"]) == 3
    assert [each["examples"] for each in found["learning_curve"]["points"]] == [88, 175, 350]


def test_half_of_the_examples_alone_is_a_curve_of_two_points(tmp_path):
    found = study(tmp_path, tricks=["half_of_the_examples"]).found
    curve = found["learning_curve"]
    assert [each["examples"] for each in curve["points"]] == [175, 350]
    assert curve["twice"] is None


def test_how_a_recipe_was_chosen_does_not_change_the_question():
    splits = blobs()
    task = task_for(splits.target)
    asked = Question(
        splits, task, recipe(), tricks_named("elu"), Outcome.named(None, task), 60, None, None
    )
    told = replace(asked, recipe=recipe(choice="lowest error, 0.1948"))
    assert told.key == asked.key


def test_other_parts_of_the_data_have_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    short = {"tricks": ["tanh"], "seeds": 1}
    first = study(None, blobs(), **short)
    second = study(None, blobs(seed=1), **short)
    assert first.found["study"]["key"] == second.found["study"]["key"]
    assert first.folder != second.folder
