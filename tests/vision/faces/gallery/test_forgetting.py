"""No file of a gallery holds a trace of a person who was forgotten."""

import random

import numpy as np
import pytest
from tests.vision.faces.gallery.trace_search import traces

from neuropil.store import StoreError, database_url
from neuropil.vision import FaceGallery
from neuropil.vision.faces.gallery import erasure, matrix_file
from neuropil.vision.faces.gallery.embedding_matrix import place_of
from neuropil.vision.faces.gallery.face_templates import template_of
from neuropil.vision.faces.gallery.people_rows import Person, add_people

NOTE = "signed on 2026-01-31, for the door, by "
SIZE = 32


def people(number, seed):
    """Return names of many lengths and directions, all different."""
    rng, letters = random.Random(seed), "abcdefghijklmnopqrstuvwxyz"
    names = ["".join(rng.choices(letters, k=rng.choice([10, 20, 60]))) for _ in range(number)]
    return dict(
        zip(names, np.random.default_rng(seed).normal(size=(number, SIZE)), strict=True)
    )


def enroll(gallery, some):
    """Enrol people in one transaction."""
    each = [Person(name, NOTE + name, 1e9, None, template_of(some[name])) for name in some]
    gallery.store.write(lambda connection: add_people(connection, each, "the gallery"))


@pytest.fixture
def small_chunks(monkeypatch):
    """Matrices of many chunks, for few people."""
    monkeypatch.setattr(matrix_file, "CHUNK_BYTES", 0)
    monkeypatch.setattr(matrix_file, "LEAST_ROWS", 16)


def test_no_trace_of_a_forgotten_person_is_left(place, small_chunks):
    """People come and go, so that the trees of the database have been split and merged."""
    gallery = FaceGallery(place, threshold=2)
    # The files of a server are larger, and take longer to search.
    many = 400 if gallery.store.engine.dialect.name == "sqlite" else 40
    staying, going, gone = people(many // 4, 1), people(many, 2), {}
    enroll(gallery, dict(random.Random(3).sample([*(staying | going).items()], many * 5 // 4)))
    for _ in range(3):
        gallery.identify(staying[next(iter(staying))])
        assert traces(gallery, going) == [*going]  # the search for traces finds them
        assert "not reached" in gallery.forget(*going)
        gone |= going
        assert traces(gallery, gone) == []
        going = people(many // 4, len(gone))
        enroll(gallery, going)
    assert gallery.names().keys() == {*staying, *going}
    for name, embedding in staying.items():
        assert gallery.identify(embedding, k=1) == [(name, 0.0)]


def test_a_forgotten_person_is_nobody_and_the_name_is_free(place):
    gallery = FaceGallery(place, threshold=2)
    enroll(gallery, {"Ann": np.eye(3)[0], "Bob": np.eye(3)[1]})
    other = FaceGallery(place)
    assert [name for name, _ in other.identify([1, 0, 0])] == ["Ann", "Bob"]
    gallery.forget("Ann")
    assert [name for name, _ in other.identify([1, 0, 0])] == ["Bob"]
    assert "Ann" not in other
    assert len(gallery) == 1
    other.enroll("Ann", [0, 0, 1], consent=NOTE)
    assert gallery.identify([0, 0, 1])[0] == ("Ann", 0.0)
    gallery.forget("Ann", "Bob")
    with pytest.raises(ValueError, match="is empty: enrol people first"):
        gallery.identify([0, 0, 1])


def test_a_name_that_is_not_enrolled_is_refused_and_nobody_forgotten(place):
    gallery = FaceGallery(place)
    gallery.enroll("Ann", [1, 0], consent=NOTE)
    with pytest.raises(ValueError, match=r"^nobody of the name 'Bob' is enrolled: nobody was"):
        gallery.forget("Ann", "Bob")
    assert gallery.names() == {"Ann": None}


@pytest.mark.parametrize("table", ["neuropil_store", "neuropil_people"])
def test_a_reader_of_an_older_state_makes_forget_wait(place, monkeypatch, table):
    monkeypatch.setattr(database_url, "LOCK_TIMEOUT", 0.05)
    monkeypatch.setattr(erasure, "PAUSES", (0.05,))
    gallery = FaceGallery(place, threshold=2)
    some = people(3, 1)
    enroll(gallery, some)
    gallery.identify(some[min(some)])
    with gallery.store.engine.connect() as reader:
        if reader.dialect.name == "postgresql":
            reader.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        else:
            reader.exec_driver_sql("BEGIN")
        reader.exec_driver_sql(f"SELECT * FROM {table}").all()
        with pytest.raises(StoreError) as caught:
            gallery.forget(*some)
        line = str(caught.value)
        assert line.startswith("the people are deleted, but traces of them remain: ")
        waits = ["another process reads an older state of it", "due to lock timeout"]
        assert any(each in line for each in waits)
        assert line.endswith("Call `forget` again to erase them.")
        assert gallery.names() == {}
        assert traces(gallery, some) != []
        reader.rollback()
    gallery.forget()
    assert traces(gallery, some) == []


def test_what_a_killed_process_has_left_is_erased_by_the_next(place, monkeypatch):
    gallery = FaceGallery(place, threshold=2)
    some, other = people(3, 1), people(1, 2)
    enroll(gallery, some | other)
    gallery.identify(some[min(some)])

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(gallery.matrix, "follow", killed)
    with pytest.raises(KeyboardInterrupt):
        gallery.forget(*some)
    assert traces(gallery, some) != []
    with pytest.raises(ValueError, match="nobody of the name"):
        FaceGallery(place).forget(min(some))
    assert traces(gallery, some) == []
    assert gallery.names().keys() == {*other}


@pytest.mark.extended
def test_the_matrix_of_another_machine_follows_when_it_is_used(postgres, tmp_path, monkeypatch):
    some, other = people(3, 1), people(1, 2)
    template = template_of(some[min(some)]).tobytes()
    here, there = (FaceGallery(place, threshold=2) for place in [postgres.empty_database()] * 2)
    enroll(here, some | other)
    matrices = []
    for gallery, machine in ((there, "there"), (here, "here")):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / machine))
        gallery.identify(other[min(other)])
        matrices.append(place_of(gallery.store)[0])
    here.forget(*some)
    assert [template in path.read_bytes() for path in matrices] == [True, False]
    assert there.identify(some[min(some)], k=1)[0][0] == min(other)
    assert [template in path.read_bytes() for path in matrices] == [False, False]
