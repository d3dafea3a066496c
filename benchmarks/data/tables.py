"""A million rows of numbers: reading and preparing them beside PyArrow's own reading."""

from __future__ import annotations

import json as formats
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from benchmarks.timing import alternate, ratio, report
from neuropil import datasets

INPUTS = 12
PEER = "PyArrow reads the CSV"
WAYS = {"csv": "datasets.open, CSV", "parquet": "datasets.open, Parquet"}


def main(json: str | None = None, rows: int = 1_000_000, rounds: int = 7) -> None:
    """Read the same table as CSV and as Parquet, prepared for training, and by PyArrow alone.

    Args:
        json: Where figures go.
        rows: How many rows the table has.
        rounds: How often each way is timed.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_tables(folder, rows)
        size = (folder / "table.csv").stat().st_size
        print(f"{rows:,} rows of {INPUTS} inputs and a target, CSV of {size / 1e6:.0f} MB")
        figures: dict[str, Any] = in_process("times", folder, rounds)
        arrays = 4 * rows * (INPUTS + 1)
        for kind in WAYS:
            peak = in_process("memory", folder / f"table.{kind}", 0)["bytes"]
            figures[f"{kind}, peak over the float32 arrays"] = peak / arrays
    for name, value in figures.items():
        print(f"  {name}: {value if isinstance(value, str) else format(value, '.3f')}")
    report("data/tables", {"rows": rows, **figures}, json)


def write_tables(folder: Path, rows: int) -> None:
    """Write random numbers of five decimals as CSV and as Parquet."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(rows, INPUTS)).round(5)
    columns = {f"x{number}": column for number, column in enumerate(inputs.T)}
    table = pa.table({**columns, "y": (inputs @ random.normal(size=INPUTS)).round(4)})
    arrow_csv.write_csv(table, folder / "table.csv")
    pq.write_table(table, folder / "table.parquet")


def in_process(what: str, path: Path, rounds: int) -> dict[str, Any]:
    """Return figures from a process of its own, whose memory holds nothing else."""
    program = [sys.executable, "-m", "benchmarks.data.tables", what, str(path), str(rounds)]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    return formats.loads(done.stdout)


def times(folder: Path, rounds: int) -> dict[str, Any]:
    """Return the seconds of each way, and their ratios to PyArrow's reading."""
    contestants: dict[str, Any] = {PEER: lambda: arrow_csv.read_csv(folder / "table.csv")}
    for kind, name in WAYS.items():
        contestants[name] = lambda kind=kind: datasets.open(folder / f"table.{kind}")
    found = alternate(contestants, rounds=rounds)
    figures: dict[str, Any] = {
        f"{name}, median seconds": timing.median for name, timing in found.items()
    }
    for name in WAYS.values():
        figures[f"{name} over {PEER}"] = str(ratio(found[name], found[PEER]))
    return figures


def memory(path: Path) -> dict[str, Any]:
    """Return the most anonymous memory that opening a table takes, above what was held."""
    small = path.with_name("small.csv")
    small.write_text("x,y\n" + "1.5,a\n2.5,b\n" * 20)
    datasets.open(small)  # the modules that it loads do not count
    before = most = anonymous()
    ended = threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(0.001):
            most = max(most, anonymous())

    thread = threading.Thread(target=watch)
    thread.start()
    datasets.open(path)
    ended.set()
    thread.join()
    return {"bytes": most - before}


def anonymous() -> int:
    """Return the anonymous memory of this process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


if __name__ == "__main__":
    task, place, count = sys.argv[1:]
    found = memory(Path(place)) if task == "memory" else times(Path(place), int(count))
    print(formats.dumps(found), flush=True)
    os._exit(0)  # PyArrow's threads together with torch's can abort the process at its end
