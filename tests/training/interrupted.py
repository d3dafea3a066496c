"""A training that is killed again and again; run by `test_resume` in a process of its own.

Each life of the training is a forked child that resumes, trains on, and kills itself: after a
drawn step, or while it writes a checkpoint. Prints how many died which death, and exits with 1
when the end differs in a single bit from that of a training that ran through.
"""

from __future__ import annotations

import io
import os
import random
import signal
import sys
from pathlib import Path

import torch
from torch import nn

from neuropil.training import BestWeights, Callback, EarlyStopping, Trainer

EPOCHS, BATCH, EXAMPLES = 6, 8, 150
STEPS = EPOCHS * 10  # 19 batches an epoch, two to a step


class Death(Callback):
    """Kills the process after a step."""

    def __init__(self, step):
        self.step = step

    def on_step(self, trainer):
        if trainer.steps == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def noisy(inputs, targets, generator):
    return inputs + 0.1 * torch.randn(inputs.shape, generator=generator), targets


def train(folder: Path | None, death: Callback | None) -> dict:
    torch.manual_seed(7)
    x = torch.randn(EXAMPLES, 6)
    y = (x[:, 0] * x[:, 1] > 0).long()
    network = nn.Sequential(
        nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2)
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01)
    trainer = Trainer(
        network,
        optimizer=optimizer,
        loss="cross_entropy",
        metrics=["accuracy"],
        schedule=lambda a: torch.optim.lr_scheduler.OneCycleLR(a, 0.02, total_steps=STEPS + 10),
        callbacks=[EarlyStopping(50), BestWeights(), *([death] if death else [])],
        augment=noisy,
        seed=3,
        threads=1,
        accumulate=2,
        clip_norm=1.0,
        ema=0.9,
        checkpoints=folder,
        checkpoint_every=3 if folder else None,
        progress=False,
    )
    history = trainer.fit(
        (x, y), (x[:40], y[:40]), epochs=EPOCHS, batch_size=BATCH, resume=folder is not None
    )
    records = [{k: v for k, v in record.items() if k != "seconds"} for record in history]
    return {"weights": dict(network.state_dict()), "history": records}


def live(folder: Path, result: Path, death: Callback | None, torn: bool) -> int:
    """Return the status of a child that trains until it dies or is done."""
    child = os.fork()
    if child == 0:
        if torn:
            write_torn_files(after=death.step)
            death = None
        torch.save(train(folder, death), result)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def write_torn_files(after: int) -> None:
    """Have torch die in the middle of the first file that it saves after a step."""
    save = torch.save

    def dying(state, file):
        if not isinstance(state, dict) or state.get("steps", 0) < after:
            save(state, file)
            return
        whole = io.BytesIO()
        save(state, whole)
        file.write(whole.getvalue()[: whole.tell() // 2])
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    torch.save = dying


def main(folder: Path, deaths: int) -> int:
    draw = random.Random(deaths)
    steps = sorted(draw.sample(range(2, STEPS - 4), deaths))
    result = folder / "result.pt"
    # First, so that what torch imports at its first step is there for all children.
    whole = train(None, None)
    died = {"after a step": 0, "while writing": 0}
    for number, step in enumerate(steps):
        torn = number % 3 == 2
        status = live(folder / "checkpoints", result, Death(step), torn)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            sys.stdout.write(
                f"life {number} should have ended at step {step}, status {status}\n"
            )
            return 1
        died["while writing" if torn else "after a step"] += 1
    if live(folder / "checkpoints", result, None, torn=False) != 0:
        return 1
    sys.stdout.write(f"{died}\n")
    resumed = torch.load(result, weights_only=True)
    if resumed["history"] != whole["history"]:
        sys.stdout.write(f"{resumed['history']}\n{whole['history']}\n")
        return 1
    differing = [
        key
        for key, value in whole["weights"].items()
        if not torch.equal(value, resumed["weights"][key])
    ]
    sys.stdout.write(f"differing: {differing}\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
