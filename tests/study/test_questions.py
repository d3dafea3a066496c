"""A study of the data alone, without a trick to compare."""

from tests.study.small_studies import study


def test_the_learning_curve_has_the_baseline(tmp_path):
    found = study(tmp_path, tricks=["half_of_the_examples", "quarter_of_the_examples"]).found
    assert len(found["baseline"]["figures"]) == 3
    assert [each["examples"] for each in found["learning_curve"]["points"]] == [88, 175, 350]
