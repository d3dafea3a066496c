"""A training on Parquet files in bounded memory, killed and resumed; run by `test_larger`.

Each life is a forked child. Prints the largest memory of one life above what it held before, in
megabytes, over all its processes; exits with 1 when the resumed weights differ in a single bit
from those of a training that ran through.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import torch

from neuropil.layers import Input, Relu, Softmax
from neuropil.training import Callback, Trainer

COLUMNS, GROUP, BATCH = 40, 8192, 512


def write(folder: Path, megabytes: int) -> None:
    """Write files of random numbers of a size; their classes follow from two columns."""
    draw = np.random.default_rng(0)
    rows = megabytes * 2**20 // (4 * COLUMNS)
    for number in range(4):
        x = draw.normal(size=(rows // 4, COLUMNS)).astype(np.float32)
        table = pa.table(
            {f"x{k}": x[:, k] for k in range(COLUMNS)} | {"label": (x[:, 0] > x[:, 1]) + 0}
        )
        pyarrow.parquet.write_table(table, folder / f"{number}.parquet", row_group_size=GROUP)


def memory() -> float:
    """Return the anonymous and shared memory of this process and its workers, in megabytes.

    Pages that several processes hold are counted once.
    """
    total = 0
    for process in (os.getpid(), *(child.pid for child in multiprocessing.active_children())):
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:  # a worker that is just ending
            continue
        total += sum(
            int(s.split()[1]) for s in lines if s.startswith(("Pss_Anon", "Pss_Shmem"))
        )
    return total / 1024


class Watch(Callback):
    """Notes the memory now and then, and kills the process after a step."""

    def __init__(self, death: int | None) -> None:
        self.death, self.peak = death, 0.0

    def on_step(self, trainer):
        if trainer.steps % 10 == 0:
            self.peak = max(self.peak, memory())
        if trainer.steps == self.death:
            os.kill(os.getpid(), signal.SIGKILL)


def train(data: object, epochs: int, watch: Watch, folder: Path | None) -> dict:
    torch.manual_seed(0)
    network = Input(COLUMNS) >> Relu(16) >> Softmax(2)
    trainer = Trainer(
        network, seed=0, threads=1, workers=1, progress=False, callbacks=[watch],
        checkpoints=folder, checkpoint_every=20 if folder else None,
    )  # fmt: skip
    trainer.fit(data, epochs=epochs, batch_size=BATCH, resume=folder is not None)
    return dict(network.state_dict())


def live(files: Path, result: Path, death: int | None, folder: Path | None) -> int:
    """Return the status of a child that trains until it dies or is done."""
    child = os.fork()
    if child == 0:
        x = torch.randn(4 * BATCH, COLUMNS)
        train((x, (x[:, 0] > 0).long()), 1, Watch(None), None)  # what torch itself needs
        before, watch = memory(), Watch(death)
        weights = train(pyarrow.dataset.dataset(files), 2, watch, folder)
        torch.save({"weights": weights, "memory": watch.peak - before}, result)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def main(folder: Path, megabytes: int) -> int:
    files = folder / "files"
    files.mkdir()
    write(files, megabytes)
    steps = 2 * (megabytes * 2**20 // (4 * COLUMNS)) // BATCH
    assert live(files, folder / "whole", None, None) == 0
    for death in (steps // 5, steps // 2, steps - 3):
        assert live(files, folder / "none", death, folder / "checkpoints") == signal.SIGKILL
    assert live(files, folder / "resumed", None, folder / "checkpoints") == 0
    whole, resumed = (torch.load(folder / name) for name in ("whole", "resumed"))
    sys.stdout.write(f"{whole['memory']:.0f}")
    same = whole["weights"].keys() == resumed["weights"].keys()
    same = same and all(
        torch.equal(w, resumed["weights"][k]) for k, w in whole["weights"].items()
    )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
