"""Mining: against brute force in Python, on both forms, laws, and refusals."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.vision import batch_hard_triplets, semi_hard_triplets, triplet_loss
from neuropil.vision.faces import device_mining, triplet_mining
from neuropil.vision.faces.device_mining import hardest_on_device, semi_hard_on_device

MARGIN = 1.5


def triples(found):
    """Return triplets as a list of tuples."""
    assert all(each.dtype == torch.int64 for each in found)
    return [*zip(*(each.tolist() for each in found), strict=True)]


def parts(distances, people, anchor):
    """Return the distances of an anchor, and the rows of its positives and negatives."""
    others = [j for j in range(len(people)) if j != anchor]
    positives = [j for j in others if people[j] == people[anchor]]
    return distances[anchor], positives, [j for j in others if people[j] != people[anchor]]


def hard_by_brute_force(distances, people):
    found = []
    for anchor in range(len(people)):
        d, positives, negatives = parts(distances, people, anchor)
        if positives and negatives:
            farthest = min(positives, key=lambda j: (-d[j], j))
            found.append((anchor, farthest, min(negatives, key=lambda j: (d[j], j))))
    return found


def semi_hard_by_brute_force(distances, people, margin):
    found = []
    for anchor in range(len(people)):
        d, positives, negatives = parts(distances, people, anchor)
        for positive in positives:
            within = [j for j in negatives if d[positive] < d[j] < d[positive] + margin]
            if within:
                found.append((anchor, positive, min(within, key=lambda j: (d[j], j))))
    return found


def compare_with_brute_force(embeddings, people, margin=MARGIN):
    """Compare both forms of both searches with brute force; return the number found."""
    rows = embeddings.tolist()
    distances = [[math.dist(a, b) for b in rows] for a in rows]
    hard = hard_by_brute_force(distances, people.tolist())
    semi_hard = semi_hard_by_brute_force(distances, people.tolist(), margin)
    assert triples(batch_hard_triplets(embeddings, people)) == hard
    assert triples(semi_hard_triplets(embeddings, people, margin=margin)) == semi_hard
    if len(people):
        assert triples(hardest_on_device(embeddings, people)) == hard
        assert triples(semi_hard_on_device(embeddings, people, margin)) == semi_hard
    return len(semi_hard)


@st.composite
def batches(draw):
    """Draw points of a small grid, many of them equal or equally far, and their people."""
    size, most = draw(st.integers(0, 14)), draw(st.integers(1, 4))
    numbers = st.integers(0, 3)
    width = draw(st.integers(1, 2))
    places = [[draw(numbers) for _ in range(width)] for _ in range(size)]
    people = [draw(st.integers(0, most)) for _ in range(size)]
    kind = draw(st.sampled_from([torch.float32, torch.float64]))
    embeddings = torch.tensor(places, dtype=kind).reshape(size, width)
    return embeddings, torch.tensor(people, dtype=torch.int64)


@given(batches(), st.sampled_from([0.5, 1.0, 2.0, 100.0]))
def test_triplets_among_ties_are_those_of_brute_force(batch, margin):
    """Distances of 1 and 2, and a margin of exactly their difference, are among them."""
    compare_with_brute_force(*batch, margin)


@pytest.mark.parametrize(("people", "pictures"), [(3, 40), (60, 2), (10, 12), (1, 9)])
def test_triplets_of_few_and_many_people_are_those_of_brute_force(
    people, pictures, monkeypatch
):
    monkeypatch.setattr(device_mining, "DISTANCES", 1000)
    generator = torch.Generator().manual_seed(people)
    of = torch.arange(people).repeat(pictures)
    centers = torch.randn(people, 5, generator=generator, dtype=torch.float64)
    noise = torch.randn(len(of), 5, generator=generator, dtype=torch.float64)
    found = compare_with_brute_force(centers[of] + 2 * noise, of)
    assert (found > len(of) / 2) == (people > 1)


def test_a_far_outlier_among_the_positives_changes_nothing_else():
    """All other distances fall into one part of the range, and two are hardly different."""
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(90, 3, generator=generator, dtype=torch.float64)
    people = torch.arange(90) % 3
    embeddings[:3] *= 1e7
    assert compare_with_brute_force(embeddings, people) > 300
    tiny = torch.tensor([[0.0], [2.0**-74], [2.0**-73], [1.0], [2.0]])
    assert compare_with_brute_force(tiny, torch.tensor([0, 0, 0, 1, 1]), 3.0) > 3


def random_batch(seed=0):
    generator = torch.Generator().manual_seed(seed)
    embeddings = torch.randn(50, 4, generator=generator, dtype=torch.float64)
    return embeddings, torch.randint(6, (50,), generator=generator)


@settings(max_examples=25)
@given(st.permutations(range(50)), st.integers(0, 9))
def test_another_order_of_the_batch_gives_the_same_triplets(order, seed):
    embeddings, people = random_batch(seed)
    place = torch.tensor(order)
    for mine in (batch_hard_triplets, semi_hard_triplets):
        moved = mine(embeddings[place], people[place])
        assert {*triples([place[each] for each in moved])} == {
            *triples(mine(embeddings, people))
        }


@settings(max_examples=25)
@given(st.permutations(range(6)))
def test_the_numbers_of_people_do_not_matter(names):
    embeddings, people = random_batch()
    other = torch.tensor(names)[people] * 10**12 - 5
    for mine in (batch_hard_triplets, semi_hard_triplets):
        assert triples(mine(embeddings, other)) == triples(mine(embeddings, people))


def test_the_loss_of_semi_hard_triplets_is_between_0_and_the_margin():
    embeddings, people = random_batch()
    found = semi_hard_triplets(embeddings, people, margin=0.3)
    values = triplet_loss(*(embeddings[each] for each in found), margin=0.3)
    assert len(values) > 100
    assert 0 < values.min() < values.max() < 0.3
    hard = triplet_loss(*(embeddings[each] for each in batch_hard_triplets(embeddings, people)))
    assert hard.mean() > values.mean()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_does_not_matter(threads, monkeypatch):
    embeddings, people = random_batch()
    expected = [mine(embeddings, people) for mine in (batch_hard_triplets, semi_hard_triplets)]
    monkeypatch.setattr(triplet_mining, "BLOCK", 7)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    found = [mine(embeddings, people) for mine in (batch_hard_triplets, semi_hard_triplets)]
    assert [*map(triples, found)] == [*map(triples, expected)]


@pytest.mark.parametrize("people", [[], [0], [4, 4, 4], [0, 1, 2]])
def test_batches_without_triplets_give_none(people):
    embeddings = torch.rand(len(people), 3)
    for mine in (batch_hard_triplets, semi_hard_triplets):
        found = mine(embeddings, people if people else torch.zeros(0, dtype=torch.int32))
        assert triples(found) == []


def test_any_layout_and_half_precision_are_taken_and_no_gradient_is_kept():
    generator = torch.Generator().manual_seed(1)
    grid = torch.randint(4, (4, 50), generator=generator).float().requires_grad_()
    people = torch.randint(6, (100,), generator=generator)[::2]
    for mine in (batch_hard_triplets, semi_hard_triplets):
        found = mine(grid.T, people)
        assert triples(mine(grid.T.bfloat16(), people.to(torch.uint8))) == triples(found)
        assert triples(mine(grid.T.detach().double().contiguous(), people)) == triples(found)


@pytest.mark.parametrize("mine", [batch_hard_triplets, semi_hard_triplets])
def test_what_does_not_fit_is_refused(mine):
    embeddings, people = torch.rand(4, 3), torch.tensor([0, 0, 1, 1])
    wrong = embeddings.clone()
    for value in (float("nan"), float("inf"), -1e30):
        wrong[2, 1] = value
        with pytest.raises(ValueError, match=f"{mine.__name__}: embedding 2 holds a number"):
            mine(wrong, people)
    for refused, message in [
        ((embeddings, people[:3]), r"got \(4, 3\) and \(3,\)"),
        ((embeddings[0], people), r"got \(3,\) and \(4,\)"),
        ((embeddings[:, :0], people), r"got \(4, 0\)"),
        ((embeddings, people.float()), "people must be integers, got torch.float32"),
        ((embeddings, people > 0), "people must be integers, got torch.bool"),
    ]:
        with pytest.raises(ValueError, match=message):
            mine(*refused)


def test_a_margin_that_is_not_above_0_is_refused():
    for margin in (0, -0.1, float("nan")):
        with pytest.raises(ValueError, match="semi_hard_triplets: margin must be a number in"):
            semi_hard_triplets(*random_batch(), margin=margin)
