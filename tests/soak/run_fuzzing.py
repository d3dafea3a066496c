"""Mutated run folders and expressions: what reading them gives.

Run as a program with a kind, a seed and a number, it holds itself to 1 GB and 10 s each.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tests.soak.fuzzing import attempt, limit_memory, mutated

from neuropil import Network
from neuropil.cli import main as command_line
from neuropil.runs.run_folder import Run
from neuropil.training.checkpoints.checkpoint import Checkpoints

HOSTILE: list[Any] = [
    None, True, -1, 0, 1, 3, 2.5, 1e308, 10**30, 2**63, "", "x" * 1000, "Relu", "os.system",
    [], {}, [[]], [1, 2], {"type": "Relu", "arguments": {}}, {"network": {}}, [None],
    "\x1b[31m", float("nan"),
]  # fmt: skip
PIECES = [
    "Input(1, 8, 8)", "Input(None, 4)", "Relu(", "Relu()", "Convolution(4, 3)", "Flatten()",
    "Softmax(3)", ">>", "|", "(", ")", ",", "parallel(", "repeat(", "1", "-1", "10**9",
    "999999999999", "1e309", "None", "'a'", "[", "]", "{", "}", "HeNormal(", "weight=",
    "bias=", "stride=", "padding='same'", "lambda x: x", "__import__('os')", "Concatenate()",
    "Elementwise('add')", "LSTM(4)", "BatchNorm()", "Dropout(0.5)", "\n", "#", "\\", "é",
    "\x00", "MaxPooling(2)", "Attention(2)", "share=True", "name='x'", "units=3", "x", "*",
    "**", ".", "Reshape(-1)",
]  # fmt: skip


def runs(folder: Path) -> list[Path]:
    """Return runs of a table, of numbers and of a classic network, trained in a folder."""
    rows = [f"{x / 10},{'ab'[x % 2]},{'low' if x < 20 else 'high'},{x}.5" for x in range(40)]
    table = folder / "table.csv"
    table.write_text("\n".join(["size,kind,level,price", *rows, ""]))
    quick = ["--data", str(table), "--threads", "1", "--quiet"]
    made = []
    for name, options in {
        "classes": ["--target", "level", "--epochs", "1"],
        "numbers": ["--target", "price", "--epochs", "1"],
        "map": ["--target", "level", "--network", "SOFM(grid=(3, 3))"],
    }.items():
        out = folder / name
        assert command_line(["train", *quick, *options, "--out", str(out)]) == 0
        (out / "report.html").unlink(missing_ok=True)
        made.append(out)
    return made


def changed_json(content: bytes, random: np.random.Generator) -> bytes:
    """Return a JSON file with one value replaced, removed, or added."""
    plain = json.loads(content)
    places: list[tuple[Any, Any]] = []
    waiting = [plain]
    while waiting:
        value = waiting.pop()
        keys = value if isinstance(value, dict) else range(len(value))
        places += [(value, key) for key in keys]
        waiting += [value[key] for key in keys if isinstance(value[key], dict | list)]
    holder, key = places[int(random.integers(len(places)))]
    new = HOSTILE[int(random.integers(len(HOSTILE)))]
    match int(random.integers(4)):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder["surplus"] = new
        case _:
            holder[key] = new
    return json.dumps(plain).encode()


def use(run: Path, table: Path) -> None:
    """Read everything that a run folder holds, and predict."""
    opened = Run.open(run)
    opened.history()
    if opened.resumable:
        Checkpoints(opened.checkpoints).load()
    network = opened.network()
    outputs = opened.predict(opened.read([table]).inputs[:3], network)
    assert isinstance(outputs, torch.Tensor)


def files(seed: int, count: int) -> Iterator[str]:
    """Yield a line for each mutated run folder that gives anything but a result or one line."""
    random = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sound = runs(folder)
        for number in range(count):
            run = folder / "copy"
            shutil.copytree(sound[number % len(sound)], run)
            held = sorted(path for path in run.rglob("*") if path.is_file())
            victim = held[int(random.integers(len(held)))]
            is_json = victim.suffix == ".json" and random.random() < 0.7
            change = changed_json if is_json else mutated
            victim.write_bytes(change(victim.read_bytes(), random))
            read = partial(use, run, folder / "table.csv")
            refusals, names = (
                (ValueError, FileNotFoundError),
                (str(run), "table.csv", "to be scaled"),
            )
            if wrong := attempt(read, refusals, names):
                yield f"seed {seed}, number {number}, {victim.relative_to(run)}: {wrong}"
            shutil.rmtree(run)


def expressions(seed: int, count: int) -> Iterator[str]:
    """Yield a line for each expression that gives anything but a network or one line."""
    random = np.random.default_rng(seed)
    for number in range(count):
        chosen = [
            PIECES[k] for k in random.integers(len(PIECES), size=int(random.integers(1, 15)))
        ]
        text = " ".join(chosen)
        if random.random() < 0.5:
            layers = [p if p.endswith(")") else f"{p}3)" for p in chosen if "(" in p]
            text = " >> ".join(layers)
        if random.random() < 0.3 and text:
            text = mutated(text.encode(), random).decode("utf-8", "replace")
        if wrong := attempt(partial(Network.parse, text), (ValueError, MemoryError), ("",)):
            yield f"seed {seed}, number {number}, {text!r}: {wrong}"


def main() -> int:
    """Mutate within the limits; print what fails."""
    kind, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    limit_memory()
    found = list({"files": files, "expressions": expressions}[kind](seed, count))
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
