"""Pictures decoded on demand: two workers beside two bare Pillow processes, and the cache."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from benchmarks.timing import report
from neuropil import datasets
from neuropil.datasets.loading import load_batches
from neuropil.datasets.pictures import picture_set
from neuropil.datasets.pictures.picture_source import PictureSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIDE, CLASSES, BATCH, WORKERS = 96, 10, 128, 2


def main(json: str | None = None, pictures: int = 100_000, rounds: int = 3) -> None:
    """Decode a folder of JPEGs in each way, in turn.

    Args:
        json: Where figures go.
        pictures: How many JPEGs of 96×96 are made.
        rounds: How often each way is timed.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "pictures")
        os.environ["XDG_CACHE_HOME"] = str(Path(temporary, "cache"))
        seconds = make_pictures(folder, pictures)
        print(f"{pictures:,} JPEGs of {SIDE}×{SIDE} made in {seconds:.0f} s")
        with Memory() as memory:
            figures = compare(folder, rounds)
        figures["memory_bytes"] = memory.most
        print(
            f"  most anonymous and shared memory of all processes: {memory.most / 1e6:.0f} MB"
        )
        report("data/pictures", {"pictures": pictures, **figures}, json)


def compare(folder: Path, rounds: int) -> dict[str, Any]:
    """Time each way of decoding the folder, and print the rates and their ratios."""
    picture_set.MEMORY = 0  # a smaller set than the default would stay in memory
    start = time.perf_counter()
    source: Any = datasets.open(folder, validation=0, test=0).train
    opening = time.perf_counter() - start
    assert isinstance(source, PictureSource)
    print(f"  opened in {opening:.1f} s")
    files: Any = source.files
    plain = PictureSource(replace(files, cache=None), source.preparation, source.targets)
    order = torch.randperm(len(source), generator=torch.Generator().manual_seed(0))
    paths = [str(source.path(place)) for place in order.tolist()]

    cache = files.cache

    def forget() -> None:
        cache.close()
        cache.path.unlink()
        cache.create()

    ways: dict[str, Callable[[], float]] = {
        "two bare Pillow processes": lambda: bare(paths),
        "two workers": lambda: fetch(plain, order),
        "two workers, writing the cache": lambda: fetch(source, order),
        "two workers, from the cache": lambda: fetch(source, order.flip(0)),
    }
    found: dict[str, list[float]] = {way: [] for way in ways}
    processor: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        forget()
        for way, run in ways.items():
            before = processor_seconds()
            found[way].append(len(source) / run())
            processor[way].append((processor_seconds() - before) / len(source))
    for way, rates in found.items():
        own = 1e6 * statistics.median(processor[way])
        print(
            f"  {way:31}: {statistics.median(rates):7,.0f} pictures/s, {own:4.0f} µs of "
            "processor time each"
        )
    figures = {"rates": found, "processor_s": processor, **ratios(found, processor)}
    return {"opening_s": opening, **figures}


def ratios(
    rates: dict[str, list[float]], processor: dict[str, list[float]]
) -> dict[str, dict[str, float]]:
    """Return and print the ratios of the ways, by rate and by processor time.

    On a machine that does other work, too, the least processor times vary less.
    """
    names = list(rates)
    pairs = {"workers / bare": (1, 0), "writing / workers": (2, 1), "cache / workers": (3, 1)}
    by_rate, by_processor = {}, {}
    for title, (first, second) in pairs.items():
        one, other = names[first], names[second]
        rounds = zip(rates[one], rates[other], strict=True)
        by_rate[title] = statistics.median(a / b for a, b in rounds)
        by_processor[title] = min(processor[other]) / min(processor[one])
    for kind, found in {"rates": by_rate, "least processor time": by_processor}.items():
        print(f"  {kind}: " + ", ".join(f"{title} {x:.2f}" for title, x in found.items()))
    return {"ratios": by_rate, "processor_ratios": by_processor}


def processor_seconds() -> float:
    """Return the processor time of this process and of those that it started and that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def fetch(source: PictureSource, order: torch.Tensor) -> float:
    """Return the seconds of one pass over a source in worker processes."""
    start = time.perf_counter()
    batches = [places.tolist() for places in order.split(BATCH)]
    seen = sum(len(batch.inputs) for batch in load_batches(source, batches, workers=WORKERS))
    assert seen == len(source)
    return time.perf_counter() - start


def bare(paths: Sequence[str]) -> float:
    """Return the seconds in which Pillow alone decodes files in as many processes."""
    start = time.perf_counter()
    children = [
        get_context("fork").Process(target=decode, args=(paths[n::WORKERS],))
        for n in range(WORKERS)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return time.perf_counter() - start


def decode(paths: Sequence[str]) -> None:
    """Decode files with Pillow, and do nothing with them."""
    for path in paths:
        with Image.open(path) as picture:
            np.asarray(picture.convert("RGB"))


def make_pictures(folder: Path, count: int) -> float:
    """Write JPEGs cut out of one large picture, and return the seconds that it took."""
    start = time.perf_counter()
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:2000, :2000]
    waves = [np.sin(x * a + y * b) for a, b in rng.uniform(0.02, 0.2, (3, 2))]
    large = np.stack(waves, axis=-1) * 100 + 127 + rng.integers(-20, 21, (2000, 2000, 1))
    pixels = large.clip(0, 255).astype(np.uint8)
    children = [
        get_context("fork").Process(target=write, args=(folder, pixels, range(n, count, 2)))
        for n in range(2)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return time.perf_counter() - start


def write(folder: Path, pixels: np.ndarray[Any, Any], numbers: Sequence[int]) -> None:
    """Write the JPEGs with these numbers."""
    for number in range(CLASSES):
        (folder / str(number)).mkdir(parents=True, exist_ok=True)
    for number in numbers:
        top, left = np.random.default_rng(number).integers(0, 2000 - SIDE, 2)
        part = Image.fromarray(pixels[top : top + SIDE, left : left + SIDE])
        part.save(folder / str(number % CLASSES) / f"{number}.jpg", quality=85)


class Memory:
    """Samples the anonymous and shared memory of this process and those it started.

    Attributes:
        most: The most that was seen, in bytes.
    """

    def __init__(self) -> None:
        self.most = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self) -> Memory:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def watch(self) -> None:
        """Sample until the end."""
        while not self.ended.wait(0.1):
            own = Path("/proc/self")
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            held = [memory_of(own), *(memory_of(Path("/proc", child)) for child in children)]
            self.most = max(self.most, sum(held))


def memory_of(process: Path) -> int:
    """Return the anonymous and shared memory of a process in bytes; 0 if it has ended."""
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return 0
    wanted = ("RssAnon", "RssShmem")
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(wanted))


if __name__ == "__main__":
    main()
