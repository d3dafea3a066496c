"""What every loss promises, tested for all that are defined.

A new loss adds one row to `ROWS`: what draws scores and targets for it, and what gives its
values by other means than ours.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import hinge_loss
from tests.training.contract import (
    have_rows_and_are_public,
    looks_like_a_documented_function,
    refuses_a_target_too_few,
)
from torch import Tensor, nn

from neuropil import Trainer
from neuropil.training import Loss
from neuropil.training.losses.losses import LOSSES, by_name, resolve

Examples = tuple[Tensor, Tensor]


class Row(NamedTuple):
    """Scores and targets for a number of examples, and the value of each example."""

    draw: Callable[[int, torch.dtype], Examples]
    reference: Callable[[Tensor, Tensor], Tensor]


def scores(n: int, dtype: torch.dtype) -> Tensor:
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(n), dtype=dtype)


def classes(n: int, dtype: torch.dtype) -> Examples:
    return scores(n, dtype), torch.randint(4, (n,), generator=torch.Generator().manual_seed(n))


def distributions(n: int, dtype: torch.dtype) -> Examples:
    return scores(n, dtype), scores(n + 1, dtype)[:n].softmax(1)


def values(n: int, dtype: torch.dtype) -> Examples:
    return scores(n, dtype), 2 * scores(n + 1, dtype)[:n]


def decisions(n: int, dtype: torch.dtype) -> Examples:
    return scores(n, dtype), (scores(n + 1, dtype)[:n] > 0).to(dtype)


def mean_of(function: Callable[..., Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the values of one of torch's functions, the mean over an example's outputs."""
    return lambda s, t: function(s, t, reduction="none").mean(1)


def hinge_by_row(scores: Tensor, targets: Tensor) -> Tensor:
    labels = range(scores.shape[1])
    rows = zip(scores.numpy(), targets.tolist(), strict=True)
    return scores.new_tensor([hinge_loss([t], s[None], labels=labels) for s, t in rows])


def margins(scores: Tensor, targets: Tensor) -> Tensor:
    nothing, signs = torch.zeros_like(scores), 2 * targets - 1
    return F.margin_ranking_loss(scores, nothing, signs, margin=1.0, reduction="none").mean(1)


ROWS = {
    "absolute_error": Row(values, mean_of(F.l1_loss)),
    "binary_cross_entropy": Row(decisions, mean_of(F.binary_cross_entropy_with_logits)),
    "binary_hinge": Row(decisions, margins),
    "cross_entropy": Row(classes, lambda s, t: F.cross_entropy(s, t, reduction="none")),
    "hinge": Row(classes, hinge_by_row),
    "huber": Row(values, mean_of(F.huber_loss)),
    "kl_divergence": Row(
        distributions, lambda s, t: F.kl_div(s.log_softmax(1), t, reduction="none").sum(1)
    ),
    "squared_error": Row(values, mean_of(F.mse_loss)),
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=str)


def examples(loss: Loss, n: int = 6, dtype: torch.dtype = torch.float64) -> Examples:
    return ROWS[loss.name].draw(n, dtype)


def test_every_loss_has_a_row_and_is_public():
    have_rows_and_are_public(Loss, LOSSES, ROWS)


@every_loss
def test_the_values_are_those_of_the_reference(loss: Loss):
    given, targets = examples(loss)
    torch.testing.assert_close(loss(given, targets), ROWS[loss.name].reference(given, targets))


@every_loss
def test_a_trainer_knows_it_by_name(loss: Loss):
    """Training, validation and evaluate report the mean of the reference."""
    inputs, targets = examples(loss, 40, torch.float32)
    torch.manual_seed(0)
    network = nn.Linear(4, 4)
    trainer = Trainer(network, loss=loss.name, progress=False, threads=None, seed=0)
    data = inputs, targets
    history = trainer.fit(data, data, epochs=3, batch_size=40)
    with torch.no_grad():
        expected = ROWS[loss.name].reference(network(inputs), targets).mean().item()
    assert trainer.evaluate(data)["loss"] == pytest.approx(expected, rel=1e-5)
    assert history[-1]["validation_loss"] == pytest.approx(expected, rel=1e-5)
    assert history[-1]["loss"] < history[0]["loss"]


@every_loss
@pytest.mark.parametrize("n", [1, 7])
def test_the_mean_is_the_mean_of_the_values(loss: Loss, n: int):
    given, targets = examples(loss, n)
    values = loss(given, targets)
    assert values.shape == (n,)
    torch.testing.assert_close(loss.mean(given, targets), values.mean())


@every_loss
@pytest.mark.parametrize("how", ["values", "mean"])
def test_gradients_equal_finite_differences(loss: Loss, how: str):
    given, targets = examples(loss)
    call = loss if how == "values" else loss.mean
    assert torch.autograd.gradcheck(lambda s: call(s, targets), given.requires_grad_())


@every_loss
def test_examples_do_not_depend_on_each_other(loss: Loss):
    given, targets = examples(loss)
    one_by_one = [loss(given[i : i + 1], targets[i : i + 1]) for i in range(len(given))]
    torch.testing.assert_close(torch.cat(one_by_one), loss(given, targets))


@every_loss
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_targets_of_any_precision_are_cast_to_the_scores(loss: Loss, dtype: torch.dtype):
    given, targets = examples(loss, dtype=torch.float32)
    rounded = targets.to(dtype) if targets.is_floating_point() else targets
    expected = loss(given, rounded.float() if rounded.is_floating_point() else rounded)
    got = loss(given, rounded)
    assert got.dtype is torch.float32
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(loss.mean(given, rounded), expected.mean())
    assert loss.mean(given.to(dtype), targets).isfinite()


@every_loss
def test_a_wrong_number_of_examples_is_refused(loss: Loss):
    given, targets = examples(loss)
    for call in (loss, loss.mean):
        refuses_a_target_too_few(loss.name, call, given, targets)


@every_loss
def test_prepared_targets_give_the_same(loss: Loss):
    given, targets = examples(loss)
    prepared = loss.prepare(targets, given[:2])
    assert torch.equal(loss(given, prepared), loss(given, targets))
    assert torch.equal(loss.prepare(prepared, given), prepared)


@every_loss
def test_it_looks_like_a_function(loss: Loss):
    looks_like_a_documented_function(loss)


@every_loss
def test_no_targets_at_all_are_prepared(loss: Loss):
    given, targets = examples(loss)
    assert loss.prepare(targets[:0], given).shape[0] == 0


@every_loss
def test_losses_are_found_by_name(loss: Loss):
    assert by_name(loss.name) is loss
    assert resolve(loss.name.replace("_", "-").upper()) is loss
    assert resolve(loss) is loss
