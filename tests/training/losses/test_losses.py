"""Losses against torch, scikit-learn, their formulas and finite differences."""

import math
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from sklearn.metrics import hinge_loss
from torch import Tensor

from neuropil.training import (
    Loss,
    Trainer,
    absolute_error,
    binary_cross_entropy,
    binary_hinge,
    cross_entropy,
    hinge,
    huber,
    kl_divergence,
    squared_error,
)
from neuropil.training.losses.losses import resolve
from neuropil.training.losses.weighted_loss import class_weights

VALUES = (squared_error, absolute_error, huber)


def examples(loss: Loss, n: int = 6) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(n)
    scores = torch.randn(n, 4, generator=generator, dtype=torch.float64)
    if loss is kl_divergence:
        return scores, torch.rand(n, 4, generator=generator, dtype=torch.float64).softmax(1)
    return scores, torch.randint(4, (n,), generator=generator)


def numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


# Values


@settings(deadline=None, max_examples=50)
@given(n=st.integers(1, 5), k=st.integers(2, 5), epsilon=st.sampled_from([0.0, 0.1, 1.0]))
def test_cross_entropy_equals_torchs(n: int, k: int, epsilon: float):
    scores, targets = torch.randn(n, k), torch.randint(k, (n,))
    got = cross_entropy(scores, targets, label_smoothing=epsilon)
    expected = F.cross_entropy(scores, targets, label_smoothing=epsilon, reduction="none")
    torch.testing.assert_close(got, expected)
    soft = torch.rand(n, k).softmax(1)
    got = cross_entropy(scores, soft, label_smoothing=epsilon)
    expected = F.cross_entropy(scores, soft, label_smoothing=epsilon, reduction="none")
    torch.testing.assert_close(got, expected)


def test_cross_entropy_is_the_formula():
    scores, targets = examples(cross_entropy)
    probabilities = F.one_hot(targets, 4).double()
    smooth = 0.7 * probabilities + 0.3 / 4
    logs = scores.softmax(1).log()
    for values, expected in (
        (cross_entropy(scores, targets), probabilities),
        (cross_entropy(scores, targets, label_smoothing=0.3), smooth),
        (cross_entropy(scores, smooth), smooth),
        (cross_entropy(scores, probabilities.long()), probabilities),
    ):
        torch.testing.assert_close(values, -(expected * logs).sum(1))


def test_cross_entropy_is_exact_for_huge_scores():
    scores = numbers(1e4, 0).unsqueeze(0)
    assert cross_entropy(scores, torch.tensor([0])).tolist() == [0]
    assert cross_entropy(scores, torch.tensor([1])).tolist() == [1e4]
    assert binary_cross_entropy(numbers(-1e4, 1e4), numbers(1, 1)).tolist() == [1e4, 0]


def test_dense_scores_give_the_mean_over_the_positions():
    scores, targets = torch.randn(3, 4, 5, 2), torch.randint(4, (3, 5, 2))
    expected = F.cross_entropy(scores, targets, reduction="none").mean((1, 2))
    torch.testing.assert_close(cross_entropy(scores, targets), expected)
    torch.testing.assert_close(cross_entropy(scores, targets.unsqueeze(1)), expected)
    soft = torch.rand(3, 4, 5, 2).softmax(1)
    each = F.kl_div(scores.log_softmax(1), soft, reduction="none").sum(1).mean((1, 2))
    torch.testing.assert_close(kl_divergence(scores, soft), each)
    torch.testing.assert_close(kl_divergence.mean(scores, soft), each.mean())


@settings(deadline=None, max_examples=50)
@given(n=st.integers(1, 5), k=st.integers(1, 4))
def test_losses_between_numbers_equal_torchs(n: int, k: int):
    scores, targets = torch.randn(n, k) * 3, torch.randn(n, k)
    for loss, theirs in (
        (squared_error, F.mse_loss),
        (absolute_error, F.l1_loss),
        (huber, F.huber_loss),
        (partial(huber, delta=0.3), partial(F.huber_loss, delta=0.3)),
    ):
        expected = theirs(scores, targets, reduction="none").mean(1)
        torch.testing.assert_close(loss(scores, targets), expected)


@settings(deadline=None, max_examples=50)
@given(n=st.integers(1, 5), k=st.integers(1, 4))
def test_binary_cross_entropy_equals_torchs(n: int, k: int):
    scores, targets = torch.randn(n, k) * 3, torch.rand(n, k)
    expected = F.binary_cross_entropy_with_logits(scores, targets, reduction="none").mean(1)
    torch.testing.assert_close(binary_cross_entropy(scores, targets), expected)
    smooth = 0.8 * targets + 0.1
    got = binary_cross_entropy(scores, targets, label_smoothing=0.2)
    torch.testing.assert_close(got, binary_cross_entropy(scores, smooth))


@settings(deadline=None, max_examples=50)
@given(n=st.integers(2, 8), k=st.integers(3, 5))
def test_hinge_equals_scikit_learns(n: int, k: int):
    generator = torch.Generator().manual_seed(n * k)
    scores = torch.randn(n, k, generator=generator, dtype=torch.float64)
    targets = torch.randint(k, (n,), generator=generator)
    expected = hinge_loss(targets.numpy(), scores.numpy(), labels=list(range(k)))
    assert hinge.mean(scores, targets).item() == pytest.approx(expected)
    with pytest.raises(ValueError, match=r"for a single score use .* or binary_hinge"):
        hinge(scores[:, 0], targets)


def test_binary_hinge_equals_scikit_learns_for_zeros_and_ones_as_well_as_signs():
    scores = numbers(0.5, -2, 3)
    expected = [1.5, 0, 0]
    for targets in (numbers(-1, -1, 1), numbers(0, 0, 1), torch.tensor([False, False, True])):
        assert binary_hinge(scores, targets).tolist() == expected
        assert binary_hinge(scores.unsqueeze(1), targets).tolist() == expected
        assert binary_hinge(scores, targets.unsqueeze(1)).tolist() == expected
        assert hinge_loss(targets.numpy(), scores.numpy()) == pytest.approx(0.5)


def test_binary_hinge_is_torchs_margin_to_zero_whatever_the_classes_are_called():
    scores, yes = torch.randn(8, 3).double(), torch.randint(2, (8, 3))
    nothing, signs = torch.zeros_like(scores), 2 * yes - 1
    each = F.margin_ranking_loss(scores, nothing, signs, margin=1.0, reduction="none")
    for targets in (yes, signs, yes > 0, signs.double()):
        torch.testing.assert_close(binary_hinge(scores, targets), each.mean(1))
    with pytest.raises(ValueError, match="binary_hinge takes targets 0 and 1, or −1 and 1"):
        binary_hinge.prepare(yes + 1, scores)


def test_binary_hinge_trains_labels_that_metrics_count_one_by_one():
    x = torch.randn(40, 4)
    labels = (x @ torch.randn(4, 3) > 0).long()
    network = torch.nn.Linear(4, 3)
    options = {"optimizer": "rprop", "metrics": ["accuracy"], "progress": False, "seed": 0}
    trainer = Trainer(network, loss="binary_hinge", **options)
    trainer.fit((x, labels), epochs=60)
    right = ((network(x) > 0) == labels).double().mean().item()
    assert trainer.evaluate((x, labels))["accuracy"] == pytest.approx(right)
    assert right > 0.95


def test_hinge_of_several_classes_is_neupys_categorical_hinge():
    """With one-hot targets it is written max(0, 1 + max((1 − t) s) − Σ t s) there."""
    scores, classes = 3 + torch.rand(8, 4), torch.randint(4, (8,))
    t = F.one_hot(classes, 4)
    theirs = (1 + ((1 - t) * scores).amax(1) - (t * scores).sum(1)).clamp(min=0)
    torch.testing.assert_close(hinge(scores, classes), theirs)
    two, labels = torch.randn(8, 2), classes % 2  # with two classes also torch's, times two
    expected = 2 * F.multi_margin_loss(two, labels, reduction="none")
    torch.testing.assert_close(hinge(two, labels), expected)


def test_divergence_is_cross_entropy_less_entropy():
    scores, targets = examples(kl_divergence)
    entropy = torch.special.entr(targets).sum(1)
    got = kl_divergence(scores, targets)
    torch.testing.assert_close(got, cross_entropy(scores, targets) - entropy)
    assert (got > 0).all()
    zero = kl_divergence(targets.log(), targets)
    torch.testing.assert_close(zero, torch.zeros_like(zero))
    sure = numbers(0, 1, 0, 0).unsqueeze(0)
    torch.testing.assert_close(kl_divergence(scores[:1], sure), cross_entropy(scores[:1], sure))


def test_half_scores_are_measured_in_single_precision():
    scores, targets = torch.tensor([300.0], dtype=torch.float16), torch.zeros(1)
    assert squared_error(scores, targets).tolist() == [90_000]  # halves end at 65,504
    assert squared_error.mean(scores, targets).item() == 90_000


# Shapes


@pytest.mark.parametrize("loss", [*VALUES, binary_cross_entropy], ids=str)
@pytest.mark.parametrize(
    ("scores", "targets"), [((5, 1), (5,)), ((5,), (5, 1)), ((5, 1, 2), (5, 2)), ((5,), (5,))]
)
def test_an_axis_of_length_one_may_be_left_out(loss, scores: Any, targets: Any):
    given_scores, given_targets = torch.randn(scores), torch.rand(targets)
    expected = loss(given_scores, given_targets.reshape(scores))
    for call in (loss, loss.mean):
        assert call(given_scores, given_targets).shape == expected.shape[: call is loss]
    torch.testing.assert_close(loss(given_scores, given_targets), expected)
    torch.testing.assert_close(loss.mean(given_scores, given_targets), expected.mean())
    assert loss.prepare(given_targets, given_scores).shape == given_scores.shape


@pytest.mark.parametrize("loss", [*VALUES, binary_cross_entropy, kl_divergence], ids=str)
@pytest.mark.parametrize("targets", [(5, 3), (5,), (5, 2, 2), (1, 4, 2), (5, 4, 1)])
def test_nothing_is_broadcast(loss: Loss, targets: Any):
    scores = torch.zeros(5, 4, 2)
    for call in (loss, loss.mean, lambda s, t: loss.prepare(t, s)):
        if targets == (1, 4, 2) and call not in (loss, loss.mean):
            continue  # other targets may be of any number
        with pytest.raises(
            ValueError, match=rf"{loss.name} needs (targets of the shape of|the same number)"
        ):
            call(scores, torch.zeros(targets))


def test_integers_are_numbers_for_losses_between_numbers():
    for dtype in (torch.int64, torch.int8, torch.bool):
        targets = torch.tensor([1, 0], dtype=dtype)
        assert squared_error(numbers(1, 2), targets).tolist() == [0, 4]
        assert binary_cross_entropy(numbers(0, 0), targets).tolist() == pytest.approx(
            [math.log(2)] * 2
        )


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int32, torch.int64])
def test_classes_may_be_any_integers(dtype: torch.dtype):
    scores, targets = examples(cross_entropy)
    for loss in (cross_entropy, hinge):
        expected = loss(scores, targets)
        assert torch.equal(loss(scores, targets.to(dtype)), expected)
        assert torch.equal(loss(scores, targets.to(dtype).unsqueeze(1)), expected)
        assert loss.prepare(targets.to(dtype), scores).dtype is torch.int64


@pytest.mark.parametrize("loss", [cross_entropy, hinge], ids=str)
@pytest.mark.parametrize("wrong", [4, -1, -100, 2**40])
def test_a_class_without_a_score_is_refused(loss: Loss, wrong: int):
    scores, targets = examples(loss)
    targets[2] = wrong
    message = (
        f"{loss.name}: the scores are for 4 classes, numbered from 0 to 3, got class {wrong}"
    )
    for call in (loss, loss.mean, lambda s, t: loss.prepare(t, s)):
        with pytest.raises(ValueError, match=message):
            call(scores, targets)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: cross_entropy(torch.zeros(5, 1), torch.zeros(5, dtype=torch.int64)),
            r"cross_entropy needs scores of at least 2 classes, \(N, K\), got \(5, 1\); for a",
        ),
        (
            lambda: cross_entropy.mean(torch.zeros(5), torch.zeros(5, dtype=torch.int64)),
            r"at least 2 classes, \(N, K\), got \(5,\)",
        ),
        (
            lambda: cross_entropy(torch.zeros(5, 3), torch.zeros(5)),
            r"cross_entropy takes classes as integers, .* got torch.float32 of \(5,\)",
        ),
        (
            lambda: cross_entropy(torch.zeros(5, 3), torch.zeros(5, 2, dtype=torch.int64)),
            r"one class per .* position, \(N\), for scores of \(5, 3\), got \(5, 2\)",
        ),
        (
            lambda: cross_entropy(torch.zeros(5, 3, 7), torch.zeros(5, 6, dtype=torch.int64)),
            r"takes one class .* \(N, 7\), for scores of \(5, 3, 7\), got \(5, 6\)",
        ),
        (
            lambda: cross_entropy(
                torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64), label_smoothing=2
            ),
            r"cross_entropy: label_smoothing must be a number in \[0, 1\], got 2",
        ),
        (
            lambda: binary_cross_entropy(numbers(1), numbers(1), label_smoothing=-1),
            r"binary_cross_entropy: label_smoothing must be a number in \[0, 1\], got -1",
        ),
        (
            lambda: hinge(torch.zeros(5, 3), torch.zeros(5, 3)),
            r"hinge takes one class number .* of \(5, 3\), got torch.float32 of \(5, 3\)",
        ),
        (
            lambda: kl_divergence(torch.zeros(5), torch.zeros(5)),
            r"kl_divergence needs scores of several classes, \(N, K\), got \(5,\)",
        ),
        (
            lambda: huber(numbers(1), numbers(1), delta=0),
            "huber: delta must be .* got 0",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], object], message: str):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("loss", "scores", "targets", "message"),
    [
        (
            squared_error,
            (2,),
            [1.0, math.nan],
            "finite targets, got 1 that are NaN or infinite",
        ),
        (huber, (2,), [math.inf, math.inf], "finite targets, got 2 that are NaN or infinite"),
        (binary_cross_entropy, (2,), [0.0, 2.0], "targets from 0 to 1, got 0 to 2"),
        (binary_cross_entropy, (2,), [0.0, math.nan], "finite targets, got 1 that are NaN"),
        (kl_divergence, (2, 2), [[0.5, 0.5], [0.5, 0.4]], "must sum to 1, got a sum of 0.9"),
        (cross_entropy, (2, 2), [[1.5, -0.5]], "targets from 0 to 1, got -0.5 to 1.5"),
        (binary_hinge, (3,), [0.0, 1.0, -1.0], "0 and 1, or −1 and 1, got"),
        (binary_hinge, (3,), [0, 1, 2], "0 and 1, or −1 and 1, got"),
    ],
)
def test_wrong_values_are_found_before_the_training(loss, scores, targets, message: str):
    with pytest.raises(ValueError, match=f"{loss.name}.* {message}"):
        loss.prepare(torch.tensor(targets), torch.zeros(scores))


# Names and what users give


def test_an_unknown_name_is_answered_with_the_nearest():
    message = r"There is no loss 'cross_entorpy'\. Did you mean 'cross_entropy'\? Known: cross_"
    with pytest.raises(ValueError, match=message):
        resolve("cross_entorpy")


def test_a_partial_is_a_loss_with_options():
    scores, targets = examples(cross_entropy)
    smooth = resolve(partial(cross_entropy, label_smoothing=0.3))
    expected = cross_entropy(scores, targets, label_smoothing=0.3)
    torch.testing.assert_close(smooth(scores, targets), expected)
    torch.testing.assert_close(smooth.mean(scores, targets), expected.mean())
    assert (smooth.name, smooth.predicts) == ("cross_entropy", "class")
    assert torch.equal(smooth.prepare(targets.int(), scores), targets)
    again = pickle.loads(pickle.dumps(smooth))
    torch.testing.assert_close(again.mean(scores, targets), expected.mean())


def test_any_function_is_a_loss():
    def cubed(scores: Tensor, targets: Tensor) -> Tensor:
        return (scores - targets).abs() ** 3

    loss = resolve(cubed)
    assert loss(numbers(1, 3), numbers(0, 0)).tolist() == [1, 27]
    assert loss.mean(numbers(1, 3), numbers(0, 0)).item() == 14
    assert (loss.name, loss.predicts) == ("cubed", "value")
    assert resolve(lambda s, t: cross_entropy(s, t, label_smoothing=0.1)).name == "<lambda>"
    assert pickle.loads(pickle.dumps(resolve(F.pairwise_distance))).name == "pairwise_distance"


def test_a_function_that_gives_neither_one_value_per_example_nor_one_for_all_is_refused():
    for wrong, got in ((lambda _s, _t: 1.0, "float"), (lambda s, t: s - t, r"\(1, 1\)")):
        with pytest.raises(ValueError, match=f"Loss '<lambda>' must return .* got {got}: ret"):
            resolve(wrong).mean(numbers(1).reshape(1, 1), numbers(1).reshape(1, 1))


@pytest.mark.parametrize(
    "wrong", [partial(cross_entropy, smoothing=0.1), partial(cross_entropy, torch.zeros(2, 2))]
)
def test_a_partial_that_fits_nothing_is_refused(wrong: Any):
    with pytest.raises(
        ValueError, match=r"partial\(cross_entropy, …\) may set label_smoothing"
    ):
        resolve(wrong)


def test_what_is_no_loss_is_refused():
    with pytest.raises(TypeError, match=r"a loss must be a name or a function .* got 3"):
        resolve(3)  # type: ignore[arg-type]


def test_class_weights_need_no_more_than_values():
    scores, targets = examples(cross_entropy)
    weights = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
    got = (cross_entropy(scores, targets) * weights[targets]).sum() / weights[targets].sum()
    torch.testing.assert_close(got, F.cross_entropy(scores, targets, weight=weights))


@pytest.mark.parametrize("values", [[[0.5, -0.5], [2.0, 1.0]], [[3.0], [0.5]]])
def test_class_weights_are_for_classes(values):
    with pytest.raises(ValueError, match="class_weight is for classification: the targets"):
        class_weights([1.0, 2.0], torch.tensor(values), 2)
    for targets in ([[0.25, 0.75]], [[1.0], [0.0]], [-1.0, 1.0]):
        assert class_weights([1.0, 2.0], torch.tensor(targets), 2).tolist() == [1.0, 2.0]
