"""What a gallery has said to be stored survives kills, full disks and other processes."""

import os
import random
import resource
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from tests.vision.faces.gallery.trace_search import traces

from neuropil.store import StoreError
from neuropil.vision import FaceGallery

# A fork has none of the other threads, and the children need none.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
NOTE = "signed on 2026-01-31, for the door"
SIZE = 16
NOBODY = 65_534


def vector(name):
    """Return the embedding of a person."""
    return np.random.default_rng([*name.encode()]).normal(size=SIZE)


def enroll(gallery, name):
    gallery.enroll(name, vector(name), consent=NOTE)


def fork(work, *arguments):
    """Run a function in a process of its own; return its number and where its lines come."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, os.fdopen(reading)
    try:
        os.close(reading)
        work(lambda line: os.write(writing, f"{line}\n".encode()), *arguments)
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{error!r}\n".encode())
        os._exit(1)


def come_and_go(tell, place, prefix):
    """Enrol people and forget every third, until killed."""
    gallery = FaceGallery(place)
    for number in range(10_000):
        enroll(gallery, f"{prefix} {number:04d}")
        tell(f"+{prefix} {number:04d}")
        if number % 3 == 2:
            gallery.identify(vector("anyone"))
            gallery.forget(f"{prefix} {number - 1:04d}")
            tell(f"-{prefix} {number - 1:04d}")


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.soak)])
def test_what_a_killed_process_was_told_is_there(place, kills):
    rng = random.Random(kills)
    gallery = FaceGallery(place, threshold=0.01)
    enroll(gallery, "first")
    here, all_gone = {"first"}, set()
    for kill in range(kills):
        child, lines = fork(come_and_go, place, f"person {kill:03d}")
        told = [lines.readline() for _ in range(rng.randrange(1, 9))]
        time.sleep(rng.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with lines:
            told += [*lines]
        gone = set()
        for line in map(str.strip, told):
            (here.add if line[0] == "+" else here.discard)(line[1:])
            gone |= {line[1:]} if line[0] == "-" else set()
        names = {*gallery.names()}
        # The process was killed in the middle of the next change: it was made, or it was not.
        assert len(names ^ here) <= 1
        here = names
        assert traces(gallery, {name: vector(name) for name in gone}) == []
        all_gone |= gone
        known = sorted(here)
        found = gallery.identify([vector(name) for name in known])
        assert found == [[(name, 0.0)] for name in known]
    assert traces(gallery, {name: vector(name) for name in all_gone}) == []


def enroll_many(tell, place, prefix):
    gallery = FaceGallery(place)
    for number in range(30):
        enroll(gallery, f"{prefix} {number:02d}")


def test_two_processes_enrol_at_once(place):
    gallery = FaceGallery(place, threshold=0.01)
    children = [fork(enroll_many, place, prefix) for prefix in ("a", "b")]
    for child, lines in children:
        assert os.waitpid(child, 0)[1] == 0
        lines.close()
    names = [f"{prefix} {number:02d}" for prefix in "ab" for number in range(30)]
    assert gallery.names().keys() == {*names}
    found = gallery.identify([vector(name) for name in names])
    assert found == [[(name, 0.0)] for name in names]


def move_window(tell, place, number):
    """Keep the last five people: one comes, and the oldest goes and leaves the row."""
    gallery = FaceGallery(place)
    for at in range(5, number):
        enroll(gallery, f"person {at}")
        gallery.forget(f"person {at - 5}")


def test_a_reader_sees_one_state_and_no_mixture(place):
    number = 25
    gallery = FaceGallery(place, threshold=0.01)
    for at in range(5):
        enroll(gallery, f"person {at}")
    asked = [vector(f"person {at}") for at in range(number)]
    child, lines = fork(move_window, place, number)
    states = set()
    while not os.waitpid(child, os.WNOHANG)[0]:
        found = gallery.identify(asked)
        here = [at for at, each in enumerate(found) if each]
        assert all(found[at] == [(f"person {at}", 0.0)] for at in here)
        assert here == [*range(here[0], here[0] + len(here))]
        assert len(here) in {5, 6}
        states.add(tuple(here))
    lines.close()
    assert len(states) > 1
    assert [at for at, each in enumerate(gallery.identify(asked)) if each] == [*range(20, 25)]


# Disks and folders


@contextmanager
def file_limit(size):
    """Let no file grow beyond a size, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)


def test_a_full_disk_loses_nothing(tmp_path):
    place = tmp_path / "people.db"
    gallery = FaceGallery(place, threshold=0.01)
    enroll(gallery, "Ann")
    with file_limit(20_000), pytest.raises(StoreError, match=r"people\.db cannot be used: "):
        enroll_many(None, place, "person")
    known = [*gallery.names()]
    assert "Ann" in known
    with file_limit(20_000):
        with pytest.raises(StoreError, match=r"people\.db\.matrix cannot be used: "):
            gallery.identify(vector("Ann"))
        assert gallery.verify("Ann", vector("Ann")).accepted
    assert gallery.identify([vector(name) for name in known]) == [
        [(name, 0.0)] for name in known
    ]
    gallery.forget(*known[1:])
    assert gallery.names() == {"Ann": None}


def test_forgetting_on_a_full_disk_says_what_is_left(tmp_path):
    gallery = FaceGallery(tmp_path / "people.db", threshold=0.01)
    names = [f"person {number:03d}" for number in range(200)]
    for name in names:
        enroll(gallery, name)
    assert gallery.identify(vector(names[3])) == [(names[3], 0.0)]
    with file_limit(30_000), pytest.raises(StoreError) as caught:
        gallery.forget(names[3])
    line = str(caught.value)
    if names[3] in gallery:
        assert "people.db cannot be used: " in line
        gallery.forget(names[3])
    else:
        assert line.startswith("the people are deleted, but traces of them remain: ")
        gallery.forget()
    assert gallery.identify(vector(names[3])) == []
    assert traces(gallery, {names[3]: vector(names[3])}) == []


@pytest.fixture
def unprivileged(tmp_path):
    """Give up the rights of the administrator, who can write anywhere."""
    if os.geteuid() == 0:
        for folder in tmp_path.parents[:3]:
            folder.chmod(folder.stat().st_mode | 0o055 if folder != Path("/") else 0o755)
        os.seteuid(NOBODY)
    yield
    if os.getuid() == 0:
        os.seteuid(0)


@pytest.mark.parametrize("writer", [False, True], ids=["alone", "beside a writer"])
def test_a_folder_that_cannot_be_written_is_read(tmp_path, monkeypatch, request, writer):
    folder = tmp_path / "folder"
    folder.mkdir()
    gallery = FaceGallery(folder / "people.db", threshold=0.01)
    enroll(gallery, "Ann")
    if not writer:
        gallery.close()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder.chmod(0o555)
    tmp_path.chmod(0o755)
    request.getfixturevalue("unprivileged")
    reader = FaceGallery(folder / "people.db")
    assert reader.names() == {"Ann": None}
    assert reader.identify(vector("Ann")) == [("Ann", 0.0)]
    for change in (lambda: enroll(reader, "Bob"), lambda: reader.forget("Ann")):
        with pytest.raises(StoreError, match="attempt to write a readonly database"):
            change()
    assert {path.name for path in folder.iterdir()} <= {
        "people.db", "people.db-wal", "people.db-shm"
    }  # fmt: skip


def test_the_exit_of_a_fork_leaves_the_gallery_alone(tmp_path):
    """It has a copy of the idle connection of its parent."""
    gallery = FaceGallery(tmp_path / "people.db", threshold=0.01)
    enroll(gallery, "Ann")
    child = os.fork()
    if not child:
        del gallery
        os._exit(0)
    os.waitpid(child, 0)
    enroll(gallery, "Bob")
    assert FaceGallery(tmp_path / "people.db").names() == {"Ann": None, "Bob": None}
