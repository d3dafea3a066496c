"""A gallery of a million people: opening, memory, search beside faiss, enrolling, forgetting.

The people are random directions of 128 numbers in a SQLite file. Each query is near a person,
and no distance is too great: the five nearest are found among all. faiss searches its flat
index of the same rows in the same process, in turn, both on one thread: these times are the
processor's, which other programs on the machine hardly change. Opening and memory are a fresh
process's, up to the first answer.
"""

from __future__ import annotations

import importlib.util
import json as plain_json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.timing import Timing, alternate, ratio, report
from neuropil.vision import FaceGallery
from neuropil.vision.faces.gallery.face_templates import unit_rows
from neuropil.vision.faces.gallery.people_rows import Person, add_people

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SIZE, NEAREST, NOTE = 128, 5, "signed on 2026-01-31, for the door"
# What is allowed at a million people, and times faiss's.
OPENING, RESIDENT, ENROLLING, OF_FAISS = 1.0, 700, 0.010, 1.3
FRESH = """
import json, sys, time
import numpy as np
from neuropil.vision import FaceGallery
query = np.random.default_rng(1).normal(size={size})
begun = time.perf_counter()
gallery = FaceGallery({place!r})
opened = time.perf_counter()
gallery.identify(query)
answered = time.perf_counter()
status = dict(line.split(":") for line in open("/proc/self/status"))
memory = int(status["VmHWM"].split()[0]) / 1024
heavy = sorted({{"torch", "numba", "scipy"}} & {{*sys.modules}})
print(json.dumps([opened - begun, answered - begun, memory, heavy]))
"""


def main(json: str | None = None, people: int = 1_000_000, rounds: int = 9) -> None:
    """Build a gallery, and time what its users do."""
    rng = np.random.default_rng(0)
    templates, _ = unit_rows(rng.normal(size=(people, SIZE)).astype(np.float32))
    figures: dict[str, Any] = {"people": people}
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder, "people.db"))
        gallery = FaceGallery(place, threshold=2)
        figures["filling"] = seconds(lambda: fill(gallery, templates))
        figures["first matrix"] = seconds(lambda: gallery.identify(templates[0]))
        print(f"{people:,} people: stored in {figures['filling']:.1f} s, the matrix written in "
              f"{figures['first matrix']:.1f} s")  # fmt: skip
        figures["opening"] = opening(place)
        figures["search"] = searching(gallery, templates, rng, rounds)
        figures["enrolling"] = enrolling(gallery, rng)
        figures["forgetting"] = seconds(lambda: gallery.forget("0", "1", "2"))
        print(f"forgetting three people: {figures['forgetting']:.1f} s")
        gallery.close()
    report("gallery", {"rounds": rounds, **figures}, json)


def fill(gallery: FaceGallery, templates: NDArray[np.float32]) -> None:
    """Store people in a few transactions rather than one each."""
    for start in range(0, len(templates), 10_000):
        some = enumerate(templates[start : start + 10_000], start)
        people = [Person(str(number), NOTE, 1e9, None, template) for number, template in some]
        gallery.store.write(lambda connection, each=people: add_people(connection, each, "it"))


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def opening(place: str) -> dict[str, Any]:
    """Return the seconds and mebibytes of a fresh process: the median of five."""
    code = FRESH.format(size=SIZE, place=place)
    runs = []
    for _ in range(5):
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        runs.append(plain_json.loads(run.stdout))
    opened, answered, memory = np.median([run[:3] for run in runs], axis=0).tolist()
    assert not any(run[3] for run in runs)
    print(f"opening {opened * 1e3:.0f} ms, with the check of the matrix and the first answer "
          f"{answered * 1e3:.0f} ms, at most {OPENING * 1e3:.0f}: "
          f"{told(answered <= OPENING)}")  # fmt: skip
    print(f"resident {memory:.0f} MiB, at most {RESIDENT}: {told(memory <= RESIDENT)}")
    return {"seconds": opened, "first answer": answered, "MiB": memory}


def searching(
    gallery: FaceGallery, templates: NDArray[np.float32], rng: np.random.Generator, rounds: int
) -> dict[str, Any]:
    """Return times for one query and for 64, in turn with faiss."""
    figures: dict[str, Any] = {}
    near = templates[rng.choice(len(templates), 64, replace=False)]
    near, _ = unit_rows(near + 0.05 * rng.normal(size=near.shape))
    peers = flat_indexes(templates)
    for number in (1, 64):
        queries = near[:number]
        ours = gallery.identify(queries, NEAREST)
        for search in peers.values():
            found = search(queries)
            assert [[int(name) for name, _ in each] for each in ours] == found.tolist()
        contestants: dict[str, Callable[[], object]] = {
            "ours": lambda queries=queries: gallery.identify(queries, NEAREST),
            **{name: lambda f=f, q=queries: f(q) for name, f in peers.items()},
        }
        with threadpool_limits(1):
            timings = alternate(
                contestants, rounds=rounds, repetitions=max(1, 8 // number),
                clock=time.thread_time,
            )  # fmt: skip
        figures[str(number)] = compare(number, timings)
    return figures


def compare(number: int, timings: dict[str, Timing]) -> dict[str, Any]:
    """Print and return the times of a number of queries."""
    ours = timings.pop("ours")
    print(f"{number} at once: {ours.median * 1e3:.1f} ms (least {ours.minimum * 1e3:.1f})")
    figures: dict[str, Any] = {"ours": ours.seconds}
    for name, timing in timings.items():
        times = ratio(ours, timing)
        print(f"  {name:12} {timing.median * 1e3:8.1f} ms; ours takes {times} of it, at most "
              f"{OF_FAISS}: {told(times.median <= OF_FAISS)}")  # fmt: skip
        figures[name] = {"seconds": timing.seconds, "ratio": times.median}
    return figures


def flat_indexes(templates: NDArray[np.float32]) -> dict[str, Callable[[Any], Any]]:
    """Return the searches of faiss's flat indexes; they share no memory with ours."""
    if importlib.util.find_spec("faiss") is None:
        print("faiss is left out: it is not installed")
        return {}
    import faiss

    searches = {}
    for name in ("IndexFlatIP", "IndexFlatL2"):
        index = getattr(faiss, name)(SIZE)
        index.add(templates)
        searches[name] = lambda queries, index=index: index.search(queries, NEAREST)[1]
    return searches


def enrolling(gallery: FaceGallery, rng: np.random.Generator) -> dict[str, float]:
    """Return the seconds of a durable enrolment: median, and the greatest of 200."""
    some = rng.normal(size=(200, SIZE))
    taken = [
        seconds(lambda n=n, each=each: gallery.enroll(f"new {n}", each, consent=NOTE))
        for n, each in enumerate(some)
    ]
    median, most = statistics.median(taken), max(taken)
    with Path(gallery.store.name).with_name("other").open("wb") as file:
        bare = statistics.median(seconds(lambda: sync(file)) for _ in range(50))
    print(f"enrolling {median * 1e3:.1f} ms (at most {most * 1e3:.1f}), at most "
          f"{ENROLLING * 1e3:.0f}: {told(median <= ENROLLING)}")  # fmt: skip
    print(f"  of which writing 4 KiB to the disk takes {bare * 1e3:.1f}")
    after = seconds(lambda: gallery.identify(some[0]))
    print(f"the first answer after 200 enrolments: {after * 1e3:.0f} ms")
    return {"median": median, "most": most, "first answer": after, "disk": bare}


def sync(file: BinaryIO) -> None:
    """Write a page to the disk, as every durable change must."""
    file.write(bytes(4096))
    file.flush()
    os.fsync(file.fileno())


def told(fine: bool) -> str:
    """Return what a line ends with."""
    return "yes" if fine else "NO"
