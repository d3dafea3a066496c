"""Learn to write like Shakespeare, a character at a time, in five minutes on two CPU cores.

The text is read as many streams side by side. The LSTM's state is carried from each piece of
them to the next, so that it remembers more than one piece, and gradients go back through one
piece only: truncated backpropagation through time. The last 5 % of the text are held out.

Two processes of one thread each share the work: `Trainer` gives each half of the streams, as
under ``torchrun``, which this file calls. Two threads in one process would wait for each other
at each of the thousand small matrix products of a step, not once a step.

Run it with ``python examples/character_model.py [TEXT]``. Without TEXT it reads
``tinyshakespeare/input.txt`` in the folder that NEUROPIL_DATA names, or ``../shared/data``.
"""

import functools
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from neuropil import Network, Trainer
from neuropil.layers import LSTM, Dropout, Embedding, Input, Softmax
from neuropil.optim import AdamW, one_cycle


class Streams:
    """A text cut into streams, given piece by piece, from another beginning in each epoch."""

    def __init__(self, indices: Tensor, streams: int, length: int, seed: int = 0) -> None:
        self.indices, self.streams, self.length = indices, streams, length
        # Its own, so that it is the same in all processes.
        self.random = torch.Generator().manual_seed(seed)
        self.pieces = (len(indices) // streams - 1) // length

    def __len__(self) -> int:
        return self.pieces

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        start = int(torch.randint(len(self.indices), (), generator=self.random))
        rolled = self.indices.roll(-start)
        rows = rolled[: len(rolled) // self.streams * self.streams].view(self.streams, -1)
        for begin in range(0, self.pieces * self.length, self.length):
            piece = rows[:, begin : begin + self.length + 1]
            yield piece[:, :-1], piece[:, 1:]


def read(
    network: Network, x: Tensor, state: tuple[Tensor, ...] = ()
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the scores of each next character, and the state to go on from."""
    _, embedding, lstm, dropout, output = network.scores()
    y, state = lstm.run(embedding(x), state)
    return output(dropout(y)), state


def train(network: Network, data: Streams, epochs: int, lr: float, *, progress: bool) -> None:
    """Train a network, carrying its state from piece to piece."""
    state: tuple[Tensor, ...] = ()

    def step(_: Trainer, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        nonlocal state
        x, y = batch
        scores, after = read(network, x, state)
        state = tuple(value.detach() for value in after)
        return {"loss": cross_entropy(scores.flatten(0, 1), y.flatten())}

    Trainer(
        network,
        optimizer=AdamW(network.parameters(), lr=lr, betas=(0.9, 0.99), weight_decay=0.1),
        schedule=functools.partial(
            one_cycle, steps=epochs * len(data), rise=0.05, momentum=None
        ),
        step=step,
        clip_norm=1.0,
        progress=progress,
    ).fit(data, epochs=epochs)


@torch.inference_mode()
def nats(network: Network, before: Tensor, text: Tensor) -> float:
    """Return the mean of −ln p over a text, read in one go behind what stands before it."""
    everything = torch.cat((before, text))
    state: tuple[Tensor, ...] = ()
    losses = []
    for x, y in zip(everything[:-1].split(500), everything[1:].split(500), strict=True):
        scores, state = read(network, x[None], state)
        losses.append(cross_entropy(scores[0], y, reduction="none"))
    return float(torch.cat(losses)[-len(text) :].mean())


@torch.inference_mode()
def write(network: Network, characters: str, start: str, length: int, warmth: float) -> str:
    """Return a text that begins with `start` and goes on as the network sees fit."""
    x = torch.tensor([[characters.index(character) for character in start]])
    state: tuple[Tensor, ...] = ()
    for _ in range(length):
        scores, state = read(network, x, state)
        x = torch.multinomial((scores[:, -1] / warmth).softmax(-1), 1)
        start += characters[int(x)]
    return start


def main(
    text: str | Path | None = None,
    *,
    units: int = 368,
    epochs: int = 5,
    streams: int = 64,
    length: int = 48,
    lr: float = 1e-2,
    dropout: float = 0.25,
    written: int = 1000,
    seed: int = 0,
    progress: bool = True,
) -> float:
    """Train on a text, write a sample, return the nats per character on its last 5 %."""
    folder = Path(os.environ.get("NEUROPIL_DATA", "../shared/data"))
    content = Path(text or folder / "tinyshakespeare" / "input.txt").read_text()
    characters = "".join(sorted(set(content)))
    indices = torch.tensor([characters.index(character) for character in content])
    known, held_out = indices.split([cut := len(indices) * 95 // 100, len(indices) - cut])

    torch.manual_seed(seed)
    network = (
        Input(None, dtype="int64")
        >> Embedding(len(characters), 32)
        >> LSTM(units, only_last=False)
        >> Dropout(dropout)
        >> Softmax(len(characters))
    )
    train(network, Streams(known, streams, length, seed), epochs, lr, progress=progress)

    if os.environ.get("RANK", "0") != "0":
        return math.nan  # the first process tells what there is to tell
    figure = nats(network, known[-1000:], held_out)
    print(f"{figure:.4f} nats ({figure / math.log(2):.3f} bits) a character on the last 5 %\n")
    print(write(network, characters, content[0], written, warmth=0.8))
    return figure


def torchrun(processes: int) -> None:
    """Run this file in several processes that train one network together."""
    options = ["--standalone", f"--nproc-per-node={processes}"]
    command = [sys.executable, "-m", "torch.distributed.run", *options, *sys.argv]
    one_thread_each = {"OMP_NUM_THREADS": "1"}
    # glibc gives large memory back to the system in every step, which clears it for the next.
    memory_kept = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**32)}
    environment = os.environ | one_thread_each | memory_kept
    sys.exit(subprocess.run(command, env=environment, check=False).returncode)


if __name__ == "__main__":
    if "RANK" not in os.environ and (os.cpu_count() or 1) > 1:
        torchrun(2)
    main(*sys.argv[1:])
