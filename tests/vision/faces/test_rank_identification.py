"""Rank-1 identification against every choice of the enrolled pictures."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from tests.vision.faces.simulated_people import draw_people, on_circle

from neuropil.vision import rank1_identification
from neuropil.vision.faces import rank_identification


def by_every_choice(embeddings, people):
    """Return the share of right answers, over all choices and all other pictures."""
    rows = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    distances = cdist(rows, rows)
    own = [np.flatnonzero(people == person) for person in np.unique(people)]
    right, asked = np.zeros(len(people)), np.zeros(len(people))
    for enrolled in itertools.product(*own):
        for query in set(range(len(people))) - {*enrolled}:
            nearest = enrolled[int(distances[query, list(enrolled)].argmin())]
            right[query] += people[nearest] == people[query]
            asked[query] += 1
    return (right[asked > 0] / asked[asked > 0]).mean()


@settings(deadline=None, max_examples=30, derandomize=True)
@given(
    st.integers(0, 10**6),
    st.lists(st.integers(1, 4), min_size=2, max_size=4).filter(lambda n: max(n) > 1),
)
def test_it_is_the_mean_over_every_choice(seed, pictures):
    random = np.random.default_rng(seed)
    people = np.arange(len(pictures)).repeat(pictures)
    embeddings = random.normal(size=(len(pictures), 3))[people]
    embeddings += 0.8 * random.normal(size=embeddings.shape)
    found = rank1_identification(embeddings, people)
    assert found == pytest.approx(by_every_choice(embeddings, people))
    order = random.permutation(len(people))
    assert rank1_identification(embeddings[order], people[order]) == pytest.approx(found)


def test_by_hand():
    found = rank1_identification(on_circle(0, 30, 20, 90), ["a", "a", "b", "b"])
    # Those of a are right if 90° is enrolled and not 20°; 90° is right if 0° is and not 30°.
    at_0, at_30, at_20, at_90 = 0.5, 0.5, 0, 0.5
    assert found == pytest.approx((at_0 + at_30 + at_20 + at_90) / 4)


def test_people_that_are_far_apart_are_all_identified():
    assert rank1_identification(*draw_people(0, noise=0.01)) == 1


def test_a_tie_is_wrong():
    assert rank1_identification(np.ones((4, 3)), [0, 0, 1, 1]) == 0


def test_blocks_change_nothing(monkeypatch):
    embeddings, people = draw_people(2, noise=1.5)
    whole = rank1_identification(embeddings, people)
    monkeypatch.setattr(rank_identification, "MOST_AT_ONCE", 100)
    assert rank1_identification(embeddings, people) == pytest.approx(whole)


@pytest.mark.parametrize("people", [[0, 0], [0, 1]])
def test_who_cannot_be_identified_is_said(people):
    with pytest.raises(ValueError, match=r"^rank1_identification: needs two people, and two"):
        rank1_identification(on_circle(1, 2), people)
