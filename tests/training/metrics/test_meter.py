"""Sums over an epoch, read at once on the CPU and later on accelerators."""

import pytest
import torch

from neuropil.training.metrics.meter import Meter
from neuropil.training.metrics.metrics import resolve
from neuropil.training.nonfinite import NotFinite
from neuropil.training.processes import Processes

METRICS = [resolve("accuracy"), resolve("f1"), resolve("roc_auc")]


def batches(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for number in range(count):
        rows = 3 + number % 4
        scores = torch.randn(rows, 2, generator=generator)
        yield scores, torch.randint(2, (rows,), generator=generator)


def filled(count=150, **options):
    meter = Meter(METRICS, **options)
    for step, (scores, targets) in enumerate(batches(count)):
        meter.add({"loss": scores.mean().abs()}, len(targets), step)
        meter.keep(scores, targets)
    return meter


@pytest.mark.parametrize("waits", [True, False])
def test_means_and_metrics_are_those_of_all_examples(waits):
    result = filled(waits=waits).result(Processes())
    scores, targets = (torch.cat(part) for part in zip(*batches(150), strict=True))
    losses = torch.tensor([s.mean().abs() for s, _ in batches(150)], dtype=torch.float64)
    rows = torch.tensor([len(t) for _, t in batches(150)], dtype=torch.float64)
    assert result["loss"] == pytest.approx(float((losses * rows).sum() / rows.sum()))
    assert result["accuracy"] == pytest.approx(METRICS[0](scores, targets))
    assert result["f1"] == pytest.approx(METRICS[1](scores, targets))
    assert result["roc_auc"] == pytest.approx(METRICS[2](scores, targets))


@pytest.mark.parametrize("waits", [True, False])
def test_a_loss_may_have_a_weight_of_its_own(waits):
    meter = Meter(waits=waits)
    for step, (mean, rows, weight) in enumerate([(1.0, 4, 0.5), (3.0, 4, 0.25), (5.0, 2, 0.0)]):
        values = {"loss": torch.tensor(mean), "other": torch.tensor(mean)}
        meter.add(values, rows, step, torch.tensor(weight))
    result = meter.result(Processes())
    assert result == pytest.approx({"loss": 1.25 / 0.75, "other": 26 / 10})


@pytest.mark.parametrize("waits", [True, False])
def test_a_number_that_is_none_is_found_with_its_step(waits):
    def run():
        meter = Meter(waits=waits)
        for step in range(100):
            meter.add({"loss": torch.tensor(float("nan") if step == 70 else 1.0)}, 1, step)
        meter.result(Processes())

    with pytest.raises(NotFinite, match="the loss is nan") as caught:
        run()
    assert caught.value.step == 70


def test_whoever_only_evaluates_may_see_it():
    meter = Meter(checked=False)
    meter.add({"loss": torch.tensor(float("inf"))}, 2, 0)
    assert meter.result(Processes()) == {"loss": float("inf")}


@pytest.mark.parametrize("waits", [True, False])
def test_a_look_in_between_and_a_state_change_nothing(waits):
    meter = Meter(METRICS, waits=waits)
    for step, (scores, targets) in enumerate(batches(150)):
        meter.add({"loss": scores.mean().abs()}, len(targets), step)
        meter.keep(scores, targets)
        if step % 17 == 3:
            meter.mean("loss")
        if step % 40 == 7:
            state, meter = meter.state_dict(), Meter(METRICS, waits=waits)
            meter.load_state_dict(state, torch.device("cpu"))
    assert meter.result(Processes()) == filled(waits=waits).result(Processes())


def test_a_value_that_is_not_always_there_is_averaged_where_it_is():
    meter = Meter()
    meter.add({"a": torch.tensor(1.0)}, 2, 0)
    meter.add({"a": torch.tensor(3.0), "b": torch.tensor(5.0)}, 2, 1)
    assert meter.result(Processes()) == {"a": 2.0, "b": 5.0}


def test_batches_of_different_shapes_are_measured_one_by_one():
    meter = Meter([resolve("mean_absolute_error")])
    for length in (2, 3):
        meter.add({"loss": torch.tensor(0.0)}, 4, 0)
        meter.keep(torch.zeros(4, length), torch.full((4, length), float(length)))
    # Every number counts the same: 8 are wrong by 2, and 12 by 3.
    assert meter.result(Processes())["mean_absolute_error"] == pytest.approx(2.6)
