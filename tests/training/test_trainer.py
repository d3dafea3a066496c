"""The trainer beside loops written by hand."""

import copy
import functools
import itertools
import random

import numpy as np
import pytest
import torch
from tests.agreement import Parts
from torch import nn
from torch.nn import functional as F

from neuropil.optim import l2, maxnorm
from neuropil.training import Callback, History, Trainer


def table(rows=60, columns=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, columns, generator=generator)
    return x, (x[:, 0] + x[:, 1] > 0).long()


def dense(seed=0, outputs=2):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, outputs))


def trainer_of(network, **options):
    return Trainer(network, **({"seed": 0, "threads": 1, "progress": False} | options))


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def orders(seed, epochs, rows=60):
    """The orders that a seed gives, seen through a step that trains nothing."""
    seen = []

    def step(_, batch):
        seen.append(batch.flatten().long())
        return {}

    network = nn.Linear(1, 1)
    trainer = trainer_of(network, step=step, seed=seed)
    trainer.fit(torch.arange(rows).float().reshape(-1, 1), epochs=epochs, batch_size=rows)
    return seen


def by_hand(network, optimizer, data, *, epochs, batch_size, seed=0, after=lambda: None):
    x, y = data
    for order in orders(seed, epochs, len(x)):
        for k in order.split(batch_size):
            optimizer.zero_grad()
            F.cross_entropy(network(x[k]), y[k]).backward()
            after()
            optimizer.step()


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
def test_it_takes_the_same_steps_as_a_loop_written_by_hand(optimizer):
    ours, theirs = dense(), dense()
    trainer_of(ours, optimizer=optimizer(ours.parameters(), lr=0.01)).fit(
        table(), epochs=3, batch_size=8
    )
    by_hand(theirs, optimizer(theirs.parameters(), lr=0.01), table(), epochs=3, batch_size=8)
    assert torch.equal(weights(ours), weights(theirs))


def test_every_epoch_has_each_example_once_in_a_new_order():
    first, second = orders(0, 2)
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(60))
    assert not torch.equal(first, second)
    assert torch.equal(orders(0, 1)[0], first)
    assert not torch.equal(orders(1, 1)[0], first)


@pytest.mark.parametrize(
    ("rows", "sizes"), [(9, [4, 5]), (10, [4, 4, 2]), (8, [4, 4]), (3, [3]), (1, [1])]
)
def test_one_example_left_over_joins_the_batch_before_it(rows, sizes):
    seen = []

    def step(trainer, batch):
        seen.append(len(batch))
        return {}

    trainer_of(nn.Linear(1, 1), step=step).fit(torch.zeros(rows, 1), epochs=1, batch_size=4)
    assert seen == sizes


def test_accumulated_batches_are_one_large_batch_to_the_last_part():
    # 60 examples: 6 steps of 8 + 4 of batches of 2; the last group has 4 batches fewer.
    large, parts = dense(), dense()
    sgd = functools.partial(torch.optim.SGD, lr=0.1)
    trainer_of(large, optimizer=sgd).fit(table(59), epochs=3, batch_size=16)
    trainer_of(parts, optimizer=sgd, accumulate=8).fit(table(59), epochs=3, batch_size=2)
    torch.testing.assert_close(weights(parts), weights(large), rtol=1e-5, atol=1e-6)
    assert not torch.equal(weights(large), weights(dense()))


def test_clipping_is_that_of_torch():
    ours, theirs = dense(), dense()
    trainer_of(ours, optimizer=torch.optim.SGD(ours.parameters(), lr=1.0), clip_norm=0.05).fit(
        table(), epochs=2, batch_size=8
    )
    sgd = torch.optim.SGD(theirs.parameters(), lr=1.0)
    by_hand(
        theirs,
        sgd,
        table(),
        epochs=2,
        batch_size=8,
        after=lambda: nn.utils.clip_grad_norm_(theirs.parameters(), 0.05),
    )
    assert torch.equal(weights(ours), weights(theirs))


def test_the_loss_of_the_history_is_the_mean_over_examples_and_metrics_are_exact():
    network = dense()
    x, y = table(58)
    frozen = torch.optim.SGD(network.parameters(), lr=0.0)
    trainer = trainer_of(network, optimizer=frozen, metrics=["accuracy"])
    history = trainer.fit((x, y), (x[:30], y[:30]), epochs=2, batch_size=16)
    with torch.no_grad():
        scores = network(x)
    loss = F.cross_entropy(scores, y).item()
    accuracy = (scores.argmax(1) == y).float().mean().item()
    assert history["loss"] == pytest.approx([loss, loss], rel=1e-6)
    assert history["accuracy"] == pytest.approx([accuracy, accuracy])
    part = (scores[:30].argmax(1) == y[:30]).float().mean().item()
    assert history[-1]["validation_accuracy"] == pytest.approx(part)
    assert trainer.evaluate((x, y)) == pytest.approx({"loss": loss, "accuracy": accuracy})
    assert trainer.evaluate([(x[:7], y[:7]), (x[7:], y[7:])])["loss"] == pytest.approx(loss)


def test_metrics_over_more_steps_than_are_kept_at_once():
    network, (x, y) = dense(), table(300)
    frozen = torch.optim.SGD(network.parameters(), lr=0.0)
    history = trainer_of(network, optimizer=frozen, metrics=["accuracy"]).fit(
        (x, y), epochs=1, batch_size=2
    )
    expected = (network(x).argmax(1) == y).float().mean().item()
    assert history[0]["accuracy"] == pytest.approx(expected)


def test_dropout_is_on_in_training_and_off_in_validation():
    modes = []

    class Watched(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 2)

        def forward(self, x):
            modes.append((self.training, torch.is_grad_enabled()))
            return self.linear(x)

    network = Watched()
    trainer = trainer_of(network, loss="cross_entropy", threads=None)
    trainer.fit(table(16), table(16), epochs=2, batch_size=8)
    del modes[:2]  # looks at shapes
    assert modes == [(True, True), (True, True), (False, False)] * 2
    assert not network.training


class Collected(Callback):
    def __init__(self):
        self.calls = []

    def on_start(self, trainer):
        self.calls.append("start")

    def on_step(self, trainer):
        assert all(p.grad is not None for p in trainer.network.parameters())
        self.calls.append(trainer.steps)

    def on_epoch(self, trainer, record):
        record["extra"] = len(self.calls)
        self.calls.append(f"epoch {record['epoch']}")

    def on_stop(self, trainer):
        assert all(p.grad is None for p in trainer.network.parameters())
        self.calls.append("stop")


def test_callbacks_hear_of_each_moment():
    callback = Collected()
    trainer = trainer_of(dense(), callbacks=[callback])
    history = trainer.fit(table(16), epochs=2, batch_size=8)
    assert callback.calls == ["start", 1, 2, "epoch 1", 3, 4, "epoch 2", "stop"]
    assert history["extra"] == [3, 6]


def test_a_seed_repeats_a_training_and_leaves_the_program_its_random_numbers():
    def run(seed):
        network = copy.deepcopy(start)
        trainer_of(network, seed=seed).fit(table(), epochs=2)
        return weights(network)

    start = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)
    first = run(1)
    drawn = torch.rand(1).item(), np.random.rand(), random.random()  # noqa: NPY002
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)
    assert drawn == (torch.rand(1).item(), np.random.rand(), random.random())  # noqa: NPY002
    assert torch.equal(run(1), first)
    assert not torch.equal(run(2), first)


def test_without_a_seed_torch_governs():
    def run():
        torch.manual_seed(9)
        network = dense(seed=9)
        trainer_of(network, seed=None).fit(table(), epochs=1)
        return weights(network)

    assert torch.equal(run(), run())


@pytest.mark.parametrize(
    "form", ["double", "list", "loader", "tensors", "dataset", "torch set"]
)
def test_every_form_of_data_gives_the_same_training(form):
    x, y = table()

    class Pairs(torch.utils.data.Dataset):
        def __len__(self):
            return len(x)

        def __getitem__(self, k):
            return x[k], y[k]

    class Kept:
        inputs, targets = x, y

    tensors = torch.utils.data.TensorDataset(x, y)
    data = {
        "double": (x.double().numpy(), y.int().numpy()),
        "list": [(x, y)],
        "loader": torch.utils.data.DataLoader(tensors, 60),
        "tensors": tensors,
        "dataset": Kept(),
        "torch set": Pairs(),
    }[form]
    ours, theirs = dense(), dense()
    history = trainer_of(ours, metrics=["accuracy"]).fit(data, data, epochs=3, batch_size=60)
    expected = trainer_of(theirs, metrics=["accuracy"]).fit(
        (x, y), (x, y), epochs=3, batch_size=60
    )
    torch.testing.assert_close(weights(ours), weights(theirs), rtol=1e-4, atol=1e-6)
    assert history["validation_accuracy"] == expected["validation_accuracy"]


def test_bytes_become_numbers_batch_by_batch():
    x = torch.arange(40, dtype=torch.uint8).reshape(10, 4)
    y = torch.arange(10) % 2
    ours, theirs = dense(), dense()
    trainer_of(ours).fit((x, y), epochs=2, batch_size=4)
    trainer_of(theirs).fit((x.float(), y), epochs=2, batch_size=4)
    assert torch.equal(weights(ours), weights(theirs))


def test_several_inputs_go_in_a_tuple():
    a, b = torch.randn(40, 2), torch.randn(40, 3)
    y = a.sum(1, keepdim=True) - b.sum(1, keepdim=True)
    for data in (((a, b), y), [((a[:20], b[:20]), y[:20]), ([a[20:], b[20:]], y[20:])]):
        network = Parts(
            lambda own, a, b: own.left(a) + own.right(b),
            left=nn.Linear(2, 1),
            right=nn.Linear(3, 1),
        )
        trainer = trainer_of(network, optimizer=torch.optim.SGD(network.parameters(), 0.1))
        history = trainer.fit(data, epochs=60, batch_size=20)
        assert history[-1]["loss"] < 1e-3 < history[0]["loss"]


def test_targets_decide_the_loss_when_nobody_else_does():
    x = torch.randn(20, 4)
    assert fitted_loss(dense(), (x, torch.arange(20) % 2)) == "cross_entropy"
    assert fitted_loss(dense(), (x, torch.randn(20, 2))) == "squared_error"
    assert fitted_loss(dense(outputs=1), (x, torch.randn(20))) == "squared_error"
    assert fitted_loss(dense(outputs=1), (x, torch.arange(20) % 2)) == "binary_cross_entropy"


def fitted_loss(network, data):
    trainer = trainer_of(network)
    trainer.fit(data, epochs=1)
    return trainer.objective.loss.name


def test_a_loss_of_ones_own_gives_one_value_per_example_or_one_for_all():
    def cubed(scores, targets):
        return (scores - targets).abs().pow(3).flatten(1).mean(1)

    x = torch.randn(64, 4)
    network = dense(outputs=1)
    adam = torch.optim.Adam(network.parameters(), lr=0.03)
    history = trainer_of(network, loss=cubed, optimizer=adam).fit((x, x[:, :1]), epochs=30)
    assert history[-1]["loss"] < history[0]["loss"] / 4
    each = trainer_of(dense(outputs=1), loss=lambda scores, targets: scores - targets)
    with pytest.raises(ValueError, match="one value per example"):
        each.fit((x, x[:, :1]), epochs=1)


def test_class_weights_balance_classes():
    x = torch.cat([torch.randn(90, 4), torch.randn(10, 4) + 1.0])
    y = torch.cat([torch.zeros(90), torch.ones(10)]).long()
    recalls = {}
    for weight in (None, "balanced", [1.0, 9.0]):
        network = dense()
        trainer = trainer_of(network, class_weight=weight)
        trainer.fit((x, y), epochs=60)
        recalls[str(weight)] = (network(x[90:]).argmax(1) == 1).float().mean().item()
    assert recalls["None"] < recalls["balanced"]
    assert recalls["None"] < recalls["[1.0, 9.0]"]


def test_class_weights_weigh_each_example():
    network, (x, y) = dense(), table()
    trainer = trainer_of(network, loss="cross_entropy", class_weight=[0.5, 2.0])
    weight = torch.tensor([0.5, 2.0])[y]
    expected = (F.cross_entropy(network(x), y, reduction="none") * weight).mean().item()
    assert trainer.evaluate((x, y))["loss"] == pytest.approx(expected, rel=1e-6)
    single = dense(outputs=1)
    trainer = trainer_of(single, class_weight="balanced")
    share = y.float().mean()
    weight = torch.where(y == 1, 0.5 / share, 0.5 / (1 - share))
    each = F.binary_cross_entropy_with_logits(single(x)[:, 0], y.float(), reduction="none")
    expected = (each * weight).mean().item()
    assert trainer.evaluate((x, y))["loss"] == pytest.approx(expected, rel=1e-6)


def test_regularizers_penalize_and_project():
    ours, theirs = dense(), dense()
    trainer_of(
        ours, optimizer=torch.optim.SGD(ours.parameters(), lr=0.1), regularizer=l2(0.1)
    ).fit(table(), epochs=2, batch_size=8)
    sgd = torch.optim.SGD(theirs.parameters(), lr=0.1)
    x, y = table()
    for order in orders(0, 2):
        for k in order.split(8):
            sgd.zero_grad()
            loss = F.cross_entropy(theirs(x[k]), y[k])
            (
                loss + 0.1 * sum(w.square().sum() for w in (theirs[0].weight, theirs[2].weight))
            ).backward()
            sgd.step()
    torch.testing.assert_close(weights(ours), weights(theirs), rtol=1e-5, atol=1e-6)
    bounded = dense()
    history = trainer_of(bounded, regularizer=maxnorm(0.3) + l2(1e-4)).fit(table(), epochs=2)
    assert bounded[0].weight.norm(dim=1).max() <= 0.3 + 1e-6
    assert "penalty" in history.columns


def test_schedules_move_with_steps_or_with_epochs():
    def rates(schedule, **options):
        network = dense()
        sgd = torch.optim.SGD(network.parameters(), lr=1.0)
        trainer = trainer_of(network, optimizer=sgd, schedule=schedule, **options)
        return trainer.fit(table(16), epochs=4, batch_size=8)["lr"]

    def halving(optimizer):
        return torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)

    assert rates(halving) == [1.0, 0.5, 0.25, 0.125]
    by_steps = rates("linear")
    assert all(a > b for a, b in itertools.pairwise(by_steps))
    assert by_steps[-1] == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(ValueError, match="cosine"):
        rates("cosin")
    with pytest.raises(TypeError, match="must be or return a torch LRScheduler"):
        rates(lambda optimizer: 3)


def test_a_plateau_schedule_looks_at_the_validation():
    network = dense()
    sgd = torch.optim.SGD(network.parameters(), lr=0.0)
    plateau = functools.partial(
        torch.optim.lr_scheduler.ReduceLROnPlateau, patience=1, factor=0.5, eps=0.0
    )
    sgd.param_groups[0]["lr"] = 1e-12
    history = trainer_of(network, optimizer=sgd, schedule=plateau).fit(
        table(), table(), epochs=5
    )
    assert history["lr"][-1] < 1e-12


def test_augmentation_changes_what_is_learnt_only_and_draws_from_its_own_generator():
    seen = []

    def shifted(inputs, targets, generator):
        seen.append(torch.rand(1, generator=generator).item())
        return inputs + 100.0, 1 - targets

    network, (x, y) = dense(), table(16)
    trainer = trainer_of(
        network, optimizer=torch.optim.SGD(network.parameters(), 0.0), augment=shifted
    )
    history = trainer.fit((x, y), (x, y), epochs=1, batch_size=8)
    expected = F.cross_entropy(network(x + 100.0), 1 - y).item()
    assert history[0]["loss"] == pytest.approx(expected, rel=1e-5)
    assert history[0]["validation_loss"] == pytest.approx(F.cross_entropy(network(x), y).item())
    assert len(set(seen)) == 2


def test_metrics_take_the_larger_part_of_mixed_classes():
    def mixed(inputs, targets, _):
        soft = F.one_hot(targets, 2).float()
        return inputs, 0.75 * soft + 0.25 * soft.flip(1)

    network, (x, y) = dense(), table()
    frozen = torch.optim.SGD(network.parameters(), lr=0.0)
    trainer = trainer_of(network, optimizer=frozen, augment=mixed, metrics=["f1", "accuracy"])
    history = trainer.fit((x, y), (x, y), epochs=1)
    assert history[0]["f1"] == pytest.approx(history[0]["validation_f1"])
    assert history[0]["accuracy"] == pytest.approx(history[0]["validation_accuracy"])


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_learns_on_the_cpu_too(precision):
    network = dense()
    trainer = trainer_of(network, mixed_precision=precision, clip_norm=10.0, schedule="linear")
    history = trainer.fit(table(), table(), epochs=40, batch_size=16)
    assert history[-1]["loss"] < history[0]["loss"] * 0.9
    assert all(p.dtype == torch.float32 for p in network.parameters())


def test_the_network_may_be_compiled():
    compiled = []

    def backend(module, inputs):
        compiled.append(module)
        return module.forward

    network = dense()
    plain = copy.deepcopy(network)
    trainer_of(plain).fit(table(), epochs=1)
    original = torch.compile
    try:
        torch.compile = functools.partial(original, backend=backend)
        trainer_of(network, compile=True).fit(table(), epochs=1)
    finally:
        torch.compile = original
    assert compiled
    torch.testing.assert_close(weights(network), weights(plain))
    assert list(network.state_dict()) == list(plain.state_dict())


def test_the_history_tells_epochs_and_steps():
    trainer = trainer_of(dense())
    history = trainer.fit(table(), epochs=2, batch_size=16)
    assert isinstance(history, History)
    assert history["epoch"] == [1, 2]
    assert history["steps"] == [4, 8]
    assert (trainer.epoch, trainer.steps, trainer.history) == (2, 8, history)
    assert trainer.fit(table(), epochs=1)["epoch"] == [1, 2, 3]
