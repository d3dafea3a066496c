"""Trainings that `test_processes` compares: alone, then in two processes; saves what they gave.

The two are forks of the first with the variables that torchrun sets, so PyTorch is imported
once for all three. With the argument ``torchrun``, it is torchrun that starts them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import torch
from torch import nn
from torch.utils.data import IterableDataset, get_worker_info

from neuropil.layers import BatchNorm, Convolution, Flatten, Input, Linear, Relu, Softmax
from neuropil.training import BestWeights, Callback, Progress, Trainer
from neuropil.training.parallel import sharded_network
from neuropil.training.processes import join_processes

X = torch.randn(29, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


class Loud(Progress):
    """Leaves a file for each process that shows progress."""

    def __init__(self, folder):
        self.folder = folder

    def start(self, status):
        number = len(list(self.folder.glob("shown*")))
        (self.folder / f"shown{number}").touch()


class Interrupting(Callback):
    def __init__(self, step=64):
        self.step = step

    def on_step(self, trainer):
        if trainer.steps == self.step:
            raise KeyboardInterrupt


def network(outputs=2):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, outputs))


def trainer_of(net, **options):
    options = {"metrics": ["accuracy"], "seed": 0, "threads": 1, "progress": False} | options
    adam = torch.optim.Adam(net.parameters(), lr=0.01)
    return Trainer(net, **{"optimizer": adam, "clip_norm": 1.0} | options)


def usual(folder):
    """Batches of 8, 8, 8 and 5, cut into halves that are not always equal."""
    net = network()
    metrics = {"right": "accuracy", "area": "roc_auc", "ap": "average_precision", "own": spread}
    trainer = trainer_of(net, metrics=metrics, progress=Loud(folder), ema=0.9)
    history = trainer.fit((X, Y), (X[:7], Y[:7]), epochs=3, batch_size=8)
    return net, history


def spread(outputs, targets):
    """Return a figure that needs all examples."""
    return (outputs[:, 1] - targets).std()


def accumulated(_):
    """Groups of batches of 3, the last of one of two examples."""
    net = network()
    trainer = trainer_of(net, accumulate=3)
    return net, trainer.fit((X, Y), epochs=2, batch_size=3)


def weighted(_):
    """A loss of torch that counts some classes more, in groups of batches of 6."""
    net = network()
    loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 5.0]))
    trainer = trainer_of(net, loss=loss, accumulate=2)
    return net, trainer.fit((X, Y), (X, Y), epochs=2, batch_size=6)


def streamed(_):
    """Batches that every process reads, one of them too small to be shared."""
    net = network()
    stream = [(X[:9], Y[:9]), (X[9:10], Y[9:10]), (X[10:], Y[10:])]
    return net, trainer_of(net).fit(stream, stream, epochs=2)


def by_rows(_):
    """Rows by index, of which each process asks for its own, and rows that are iterated."""
    net = network()
    rows = Rows()
    trainer = trainer_of(net, workers=0)
    trainer.fit(rows, rows, epochs=2, batch_size=8)
    count = trainer.learner.processes.count
    # Without the first rows, which tell what the rows are, and the validation.
    assert len(rows.asked) <= (2 * len(X) + 2 * len(X)) / count + 20
    trainer.fit(Iterated(), epochs=2, batch_size=8)
    return net, trainer.history


def fetched(_):
    """A source, whose mean and scale both measure, with a worker each."""
    torch.manual_seed(0)
    net = Input(4) >> Linear(6) >> Linear(2)
    with tempfile.TemporaryDirectory() as folder:
        columns = {f"x{k}": X[:, k].numpy() for k in range(4)} | {"label": Y.numpy()}
        pyarrow.parquet.write_table(pa.table(columns), f"{folder}/a.parquet", row_group_size=5)
        data = pyarrow.dataset.dataset(folder)
        trainer = trainer_of(net, loss="cross_entropy", workers=1)
        return net, trainer.fit(data, data, epochs=2, batch_size=8)


def by_shards(_):
    """Streams of which each process reads its own shard, and one that gives all the same."""
    net = network()
    trainer = trainer_of(net)
    for stream in (ByWorker(), ByShard()):
        data = stream
        if trainer.learner.processes.count == 1:  # the batches of both together
            starts = range(0, 15, 4)
            parts = [[pair[k::2] for pair in (X, Y)] for k in (0, 1)]
            data = [
                tuple(torch.cat([part[n][s : s + 4] for part in parts]) for n in (0, 1))
                for s in starts
            ]
        trainer.fit(data, epochs=2, batch_size=8)
    trainer.fit(Alike(), Alike(), epochs=2, batch_size=8)
    return net, trainer.history


class ByWorker(IterableDataset):
    """Gives each worker every n-th row."""

    def __iter__(self):
        info = get_worker_info()
        first, step = (info.id, info.num_workers) if info else (0, 1)
        return zip(X[first::step], Y[first::step], strict=True)


class ByShard:
    """Has the shards of a stream of Hugging Face."""

    num_shards = 2

    def shard(self, num_shards, index):
        return [{"x": x, "label": y} for x, y in zip(X[index::2], Y[index::2], strict=True)]

    def __iter__(self):
        return iter(self.shard(2, 0) + self.shard(2, 1))


class Alike(IterableDataset):
    """Knows nothing of workers."""

    def __iter__(self):
        return zip(X, Y, strict=True)


class Rows:
    """A set with a length and an index."""

    def __init__(self):
        self.asked = []

    def __len__(self):
        return len(X)

    def __getitem__(self, index):
        self.asked.append(index)
        return {"x": X[index], "label": Y[index]}


class Iterated:
    """Rows that can be iterated again and again."""

    def __iter__(self):
        return zip(X, Y, strict=True)


def far(_):
    """Targets far from zero, whose R² is merged from the parts of both."""
    torch.manual_seed(0)
    net = (Input(4) >> Linear(1)).double()
    with torch.no_grad():
        net.linear1.bias.fill_(1e8)
    data = X.double(), 1e8 + X.double().sum(1, keepdim=True)
    trainer = trainer_of(net, loss="squared_error", metrics=["r2"])
    return net, trainer.fit(data, data, epochs=2, batch_size=8)


def custom(_):
    """A step of its own."""

    def step(trainer, batch):
        inputs, targets = batch
        return {"loss": nn.functional.cross_entropy(trainer.network(inputs), targets)}

    net = network()
    trainer = trainer_of(net, step=step, metrics=(), accumulate=2)
    return net, trainer.fit((X, Y), epochs=2, batch_size=5)


def resumed(folder):
    """Dropout and a state in the middle of an epoch: two lives are one."""
    ends, parts = [], []
    for life in range(3):
        # The second ends in mid-epoch, and the third resumes it.
        callbacks = [BestWeights(), *([Interrupting(7)] if life == 1 else [])]
        trainer = shardable(
            checkpoints=folder / "sharded" if life else None,
            checkpoint_every=2 if life else None,
            callbacks=callbacks,
        )
        try:
            trainer.fit((X, Y), epochs=4, batch_size=8, resume=life == 2)
        except KeyboardInterrupt:
            continue
        parts.append(gathered(trainer).state_dict())
    same = all(torch.equal(value, parts[1][key]) for key, value in parts[0].items())
    for where, lives in ((None, 1), (folder / "checkpoints", 2)):
        for life in range(lives):
            torch.manual_seed(0)
            net = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.5), nn.Linear(6, 2))
            dying = [Interrupting()] if life == 0 and lives == 2 else []
            trainer = trainer_of(
                net, checkpoints=where, checkpoint_every=where and 5, callbacks=dying
            )
            try:
                trainer.fit((X, Y), epochs=16, batch_size=6, resume=where is not None)
            except KeyboardInterrupt:
                continue
            ends.append(net[0].weight.detach().clone())
    return net, [{"same": same and torch.equal(*ends), "steps": trainer.steps}]


def normalised(_):
    """Statistics of joint batches, in the last of which one process has no example."""
    torch.manual_seed(0)
    net = (
        Input(1, 2, 2)
        >> Convolution(3, 2, padding="same", bias=False)
        >> BatchNorm()
        >> Relu()
        >> Flatten()
        >> Softmax(2)
    )
    pictures = X.reshape(29, 1, 2, 2)
    stream = [(pictures[a:b], Y[a:b]) for a, b in ((0, 5), (5, 12), (12, 28), (28, 29))]
    return net, trainer_of(net).fit(stream, stream, epochs=3)


def shardable(**options):
    """A trainer that shards its weights where there are two processes."""
    shard = join_processes().count > 1
    with torch.device("meta" if shard else "cpu"):
        net = Input(4) >> Relu(7) >> BatchNorm() >> Relu(6) >> Softmax(2)
    if not shard:
        net.reset_parameters(torch.Generator().manual_seed(0))
    options = {"optimizer": "adamw", "ema": 0.9, "callbacks": [BestWeights()]} | options
    return trainer_of(net, shard=shard, **options)


def gathered(trainer):
    """The whole network, in every process."""
    return join_processes().share(trainer.gather_network())


def sharded(_):
    """Weights in parts, drawn in parts; averages, clipping, accumulation, best weights."""
    trainer = shardable(accumulate=2)
    history = trainer.fit((X, Y), (X[:7], Y[:7]), epochs=3, batch_size=4)
    return gathered(trainer), history


def moved(folder):
    """A training of one process that two finish with weights in parts, and the reverse."""
    two = join_processes().count > 1
    own, other = ("of two", "of one") if two else ("of one", "of two")
    if not (folder.parent / own).exists():
        broken_off(folder.parent / own)
    source = folder.parent / other
    trainer = shardable(checkpoints=source if source.exists() else None)
    history = trainer.fit((X, Y), epochs=4, batch_size=8, resume=source.exists())
    return gathered(trainer), history


def broken_off(folder):
    """Leave the checkpoints of a training that ended in mid-epoch."""
    trainer = shardable(
        checkpoints=folder, checkpoint_every=2, callbacks=[BestWeights(), Interrupting(7)]
    )
    try:
        trainer.fit((X, Y), epochs=4, batch_size=8)
    except KeyboardInterrupt:
        return


def train_all(folder: Path, trainings=None) -> None:
    folder.mkdir(exist_ok=True)
    sharded_network.GROUP = 16  # layers of the test networks are groups of their own
    results = {}
    for training in trainings or TRAININGS:
        net, history = training(folder)
        records = [{k: v for k, v in record.items() if k != "seconds"} for record in history]
        results[training.__name__] = {"weights": net.state_dict(), "history": records}
    rank = trainer_of(network()).learner.processes.rank
    torch.save(results, folder / f"rank{rank}.pt")


def fork(folder: Path) -> int:
    """Train in two forks of this process; return their worst exit status."""
    sys.path.insert(0, str(Path(__file__).parents[1]))  # not where pytest imports this file
    from group_of_two import fork_two

    return max(fork_two(lambda: train_all(folder)))


def torchrun(folder: Path) -> int:
    """Run this file in two processes started by torchrun; return its exit status."""
    options = ["--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, "-m", "torch.distributed.run", *options, __file__, folder]
    return subprocess.run(command, check=False).returncode


def main(starter: str, folder: Path) -> int:
    train_all(folder / "alone")
    start = {"fork": fork, "torchrun": torchrun}[starter]
    status = start(folder / "two")
    if status == 0:
        train_all(folder / "after", [moved])
    return status


TRAININGS = (
    usual,
    accumulated,
    weighted,
    streamed,
    by_rows,
    fetched,
    by_shards,
    far,
    custom,
    normalised,
    sharded,
    moved,
    resumed,
)


if __name__ == "__main__":
    if "RANK" in os.environ:
        train_all(Path(sys.argv[1]))
    else:
        sys.exit(main(sys.argv[1], Path(sys.argv[2])) != 0)
