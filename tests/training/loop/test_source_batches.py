"""Trainings on sources, whose examples are fetched when a batch needs them."""

import itertools
import multiprocessing
import os
import signal
from pathlib import Path

import pytest
import torch

from neuropil.datasets import DataError, Dataset
from neuropil.datasets.source import Batch
from neuropil.layers import (
    Convolution,
    Dropout,
    GlobalPooling,
    Input,
    Module,
    Relu,
    Softmax,
)  # fmt: skip
from neuropil.training import BestWeights, Callback, CheckpointError, Trainer

HERE = Path(__file__).parent


class Streamed:
    """A source that computes its examples from their places and pretends to be large."""

    def __init__(self, examples=150, first=0, wrong=None):
        self.first, self.examples, self.wrong = first, examples, wrong
        places = torch.arange(first, first + examples)
        self.targets = (places * 7 % 5 > 2).long()
        self.names, self.input_shape = None, (4,)
        self.fetched = []

    @property
    def fingerprint(self):
        return f"streamed {self.first} {self.examples}"

    def __len__(self):
        return self.examples

    def size_of(self, index):
        return ()

    def fetch(self, indices):
        self.fetched += indices
        if self.wrong in indices:
            raise DataError(f"example {self.wrong} is damaged.")
        places = torch.as_tensor(list(indices)) + self.first
        inputs = torch.stack([(places * k % 5).float() + 10 * k for k in (1, 7, 11, 3)], dim=1)
        return Batch(inputs, self.targets[torch.as_tensor(list(indices))])

    def __getitem__(self, key):
        raise NotImplementedError


def trainer_of(workers, folder=None, callbacks=()):
    torch.manual_seed(0)
    network = Input(4) >> Relu(8) >> Dropout(0.2) >> Softmax(2)
    return Trainer(
        network, metrics=["accuracy"], seed=1, threads=1, progress=False, workers=workers,
        checkpoints=folder, checkpoint_every=1 if folder else None,
        callbacks=[BestWeights(), *callbacks],
    )  # fmt: skip


def results(trainer):
    history = [{k: v for k, v in each.items() if k != "seconds"} for each in trainer.history]
    return history, {k: v.tolist() for k, v in trainer.network.state_dict().items()}


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_source_trains_like_the_same_arrays(workers):
    source, held_out = Streamed(), Streamed(33, 500)
    arrays, streamed = trainer_of(0), trainer_of(workers)
    data = [Dataset(*each.fetch(range(len(each)))[:2]) for each in (source, held_out)]
    arrays.fit(data[0], data[1], epochs=3, batch_size=16)
    streamed.fit(source, held_out, epochs=3, batch_size=16)
    assert results(streamed)[0] == results(arrays)[0]
    assert results(streamed)[1].keys() == results(arrays)[1].keys()
    for name, weight in arrays.network.state_dict().items():
        torch.testing.assert_close(streamed.network.state_dict()[name], weight)
    assert multiprocessing.active_children() == []


class Interrupting(Callback):
    """Sends a signal to all processes, as a terminal or a shutdown does."""

    def __init__(self, step, number=signal.SIGINT):
        self.step, self.number = step, number

    def on_step(self, trainer):
        if trainer.steps == self.step:
            for process in multiprocessing.active_children():
                os.kill(process.pid, self.number)
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("step", "number"), [(1, signal.SIGINT), (5, signal.SIGTERM), (14, signal.SIGTERM)]
)
def test_a_resumed_training_ends_alike_and_fetches_only_the_rest(
    tmp_path, workers, step, number
):
    whole, first, second = Streamed(), Streamed(), Streamed()
    uninterrupted = trainer_of(0)
    uninterrupted.fit(whole, Streamed(33, 500), epochs=3, batch_size=16)
    with pytest.raises(KeyboardInterrupt, match=f"interrupted after step {step}"):
        trainer_of(workers, tmp_path, [Interrupting(step, number)]).fit(
            first, Streamed(33, 500), epochs=3, batch_size=16
        )
    resumed = trainer_of(workers, tmp_path)
    resumed.fit(second, Streamed(33, 500), epochs=3, batch_size=16, resume=True)
    assert results(resumed) == results(uninterrupted)
    if not workers:  # what a worker fetches is recorded in its own copy
        rest = whole.fetched[-(3 * 150 - 16 * step + (step > 9) * 10) :]
        assert second.fetched[-len(rest) :] == rest
        assert len(second.fetched) - len(rest) <= 6  # the examples that the checks look at


def test_another_source_is_not_resumed(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        trainer_of(0, tmp_path, [Interrupting(1)]).fit(Streamed(), epochs=2)
    with pytest.raises(CheckpointError, match="had data=streamed 0 150, this one has data"):
        trainer_of(0, tmp_path).fit(Streamed(first=1), epochs=2, resume=True)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_example_ends_the_training_with_its_own_message(workers):
    with pytest.raises(DataError, match=r"^example 77 is damaged\.$"):
        trainer_of(workers).fit(Streamed(wrong=77), epochs=1)
    assert multiprocessing.active_children() == []


class Fatal(Streamed):
    """A source whose worker is killed, as a machine without memory does."""

    def fetch(self, indices):
        if 140 in indices and multiprocessing.parent_process():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fetch(indices)


def test_a_killed_worker_is_an_error_that_says_what_to_try():
    with pytest.raises(DataError, match="perhaps because memory ran out: use fewer workers"):
        trainer_of(1).fit(Fatal(), epochs=1)


class Unlabelled(Streamed):
    """A source without targets."""

    def __init__(self):
        super().__init__()
        self.targets = None

    def fetch(self, indices):
        return Batch(torch.ones(len(indices), 4), None)


@pytest.mark.parametrize(
    ("source", "match"), [(Streamed(0), "is empty"), (Unlabelled(), "has no targets")]
)
def test_wrong_sources_are_refused(source, match):
    with pytest.raises(ValueError, match=f"the training data {match}"):
        trainer_of(0).fit(source, epochs=1)


def test_inputs_that_are_not_finite_are_named():
    class Gap(Streamed):
        def fetch(self, indices):
            batch = super().fetch(indices)
            batch.inputs[torch.as_tensor(list(indices)) == 99] = torch.nan
            return batch

    with pytest.raises(ValueError, match="example 99 of the training inputs contains NaN"):
        trainer_of(0).fit(Gap(), epochs=1)


def test_balanced_class_weights_count_the_targets_of_the_source():
    source = Streamed()
    weighted = Trainer(
        Input(4) >> Softmax(2), class_weight="balanced", progress=False, seed=0, workers=0
    )
    weighted.fit(source, epochs=1)
    counts = source.targets.bincount()
    expected = len(source) / (2 * counts)
    assert weighted.objective.class_weights.tolist() == pytest.approx(expected.tolist())


class Padded:
    """Canvases of twenty sizes, padded with zeros to the largest of a batch."""

    def __init__(self, examples=40):
        self.sides = [3 + k % 20 for k in range(examples)]
        self.targets = torch.tensor(self.sides) % 2
        self.names, self.input_shape, self.fingerprint = None, (1, None, None), "padded"
        self.batches = []

    def __len__(self):
        return len(self.sides)

    def size_of(self, index):
        return (self.sides[index], self.sides[index])

    def fetch(self, indices):
        side = max(self.sides[k] for k in indices)
        self.batches.append(indices)
        inputs = torch.zeros(len(indices), 1, side, side)
        mask = torch.zeros(len(indices), side, side)
        for row, k in enumerate(indices):
            own = self.sides[k]
            inputs[row, :, :own, :own] = 5 + k % 2
            mask[row, :own, :own] = 1
        return Batch(inputs, self.targets[torch.as_tensor(list(indices))], mask)

    def __getitem__(self, key):
        raise NotImplementedError


def test_varied_sizes_come_in_batches_of_like_sizes_and_padding_is_not_measured():
    source = Padded()
    network = Input(1, None, None) >> Convolution(2, 3) >> GlobalPooling() >> Softmax(2)
    trainer = Trainer(network, progress=False, seed=0, workers=0)
    trainer.fit(source, epochs=2, batch_size=8)
    first, second = source.batches[-10:-5], source.batches[-5:]
    for batches in (first, second):
        assert sorted(itertools.chain(*batches)) == list(range(40))
        for batch in batches:
            sides = [source.sides[k] for k in batch]
            assert max(sides) - min(sides) <= 5
    assert first != second
    even = sum(side**2 for k, side in enumerate(source.sides) if k % 2 == 0)
    mean = (5 * even + 6 * (sum(side**2 for side in source.sides) - even)) / sum(
        side**2 for side in source.sides
    )
    assert network.inputs[0].mean.item() == pytest.approx(mean, rel=1e-6)


def test_a_mask_reaches_a_network_with_two_inputs():
    torch.manual_seed(0)
    pictures, mask = Input(1, None, None), Input(None, None, name="mask")
    seen = []

    class Watched(torch.nn.Module):
        def forward(self, x, m):
            seen.append(m.clone())
            return x * m.unsqueeze(1)

    network = (
        (pictures | mask)
        >> Module(Watched())
        >> Convolution(2, 3)
        >> GlobalPooling()
        >> Softmax(2)
    )
    trainer = Trainer(network, progress=False, seed=0, workers=0, normalize=True)
    trainer.fit(Padded(), epochs=1, batch_size=8)
    assert mask.mean is None
    assert any(bool((each == 0).any()) for each in seen if not each.is_meta)
