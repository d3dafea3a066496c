"""The table of tricks: names, titles, order, and published gains."""

import csv

import pytest

from neuropil.study.tricks.trick_table import GROUPS, TRICKS, by_name

PUBLISHED = [trick for trick in TRICKS if trick.published_row is not None]


def test_names_are_distinct_and_plain():
    names = [trick.name for trick in TRICKS]
    assert len({*names}) == len(names) == sum(map(len, GROUPS))
    assert all(name.isidentifier() and name == name.lower() for name in names)


def test_titles_are_distinct_phrases():
    titles = [trick.title for trick in TRICKS]
    assert len({*titles}) == len(titles)
    assert not any(title[0].islower() for title in titles if not title.startswith("tanh"))
    assert not any(title.endswith(".") for title in titles)


def test_the_first_of_each_group_come_first():
    assert TRICKS[: len(GROUPS)] == tuple(group[0] for group in GROUPS)


@pytest.mark.parametrize("name", ["elu", "ELU", "batch-norm after"])
def test_a_trick_by_its_name(name):
    assert by_name(name).name == name.lower().replace("-", "_").replace(" ", "_")


def test_an_unknown_name():
    words = r"'dropout_21' is unknown\. Did you mean 'dropout_20'"
    with pytest.raises(ValueError, match=words):
        by_name("dropout_21")


def test_a_gain_is_published_in_a_row():
    assert all((trick.published is None) == (trick.published_row is None) for trick in TRICKS)


@pytest.mark.parametrize("trick", PUBLISHED, ids=lambda trick: trick.name)
def test_published_gains_are_those_of_the_paper(trick, data):
    with (data / "published" / "cnn_modules_imagenet128.csv").open() as file:
        gains = [
            float(row["gain_pp"])
            for row in csv.DictReader(file)
            if (row["group"], row["variant"]) == trick.published_row
        ]
    assert trick.published in gains
