"""Who is nearest: an exact search in a matrix that follows the database."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuropil.vision import FaceGallery
from neuropil.vision.faces.gallery import face_gallery, matrix_file
from neuropil.vision.faces.gallery.embedding_matrix import place_of
from neuropil.vision.faces.gallery.gallery_tables import PEOPLE, open_tables
from neuropil.vision.faces.gallery.nearest_rows import nearest_rows
from neuropil.vision.faces.gallery.people_rows import Person, add_people

NOTE = "signed on 2026-01-31, for the door"


@pytest.fixture
def small_chunks(monkeypatch):
    """Matrices of many chunks, for few people."""
    monkeypatch.setattr(matrix_file, "CHUNK_BYTES", 0)
    monkeypatch.setattr(matrix_file, "LEAST_ROWS", 3)


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def embeddings(people, size, seed=0):
    return unit(np.random.default_rng(seed).normal(size=(people, size)))


def fill(place, vectors, **options):
    """Return a gallery of many people, "0", "1" and so on, enrolled in one transaction."""
    people = [Person(str(n), NOTE, 1e9, None, vector) for n, vector in enumerate(vectors)]
    gallery = FaceGallery(place, **options)
    gallery.store.write(lambda connection: add_people(connection, people, place))
    return gallery


def matrix_of(gallery):
    return place_of(gallery.store)[0]


# The search


def brute_force(templates, until, queries, k, threshold, now):
    """Return what `nearest_rows` should, by all distances in float64."""
    found = []
    for query in queries.astype(float):
        apart = np.linalg.norm(templates.astype(float) - query, axis=1)
        order = [n for n in np.lexsort((np.arange(len(apart)), apart)) if until[n] > now]
        near = [(int(n), apart[n]) for n in order if apart[n] <= threshold]
        found.append(near[:k])
    return found


@given(
    rows=st.integers(1, 30),
    size=st.integers(1, 5),
    queries=st.integers(1, 70),
    k=st.integers(1, 40),
    threshold=st.sampled_from([0.0, 0.7, 1.5, 2.0]),
    seed=st.integers(0, 9),
)
@settings(max_examples=60)
def test_the_search_is_exact(rows, size, queries, k, threshold, seed):
    rng = np.random.default_rng(seed)
    # Few different directions: equal distances are common.
    templates = unit(rng.integers(-1, 2, (rows, size)) + 0.25)
    until = rng.choice([0.0, 5.0, np.inf], rows)
    asked = unit(rng.integers(-1, 2, (queries, size)) + 0.25)
    kind = np.dtype([("until", "<f8", (4,)), ("templates", "<f4", (4, size + size % 2))])
    chunks = np.zeros(-(-rows // 4), kind)
    at = divmod(np.arange(rows), 4)
    chunks["until"][at] = until
    chunks["templates"][(*at, slice(size))] = templates
    found = nearest_rows(chunks, asked, k, threshold, 1.0)
    assert found == brute_force(templates, until, asked, k, threshold, 1.0)


def test_the_nearest_are_found_in_many_chunks(place, small_chunks):
    vectors = embeddings(50, 7)
    gallery = fill(place, vectors, threshold=2)
    found = gallery.identify(vectors[:20], k=3)
    wanted = brute_force(vectors, np.full(50, np.inf), vectors[:20], 3, 2, 0)
    assert found == [[(str(row), apart) for row, apart in each] for each in wanted]
    assert gallery.identify(vectors[4], k=3) == found[4]


def test_a_stranger_is_nobody(place):
    gallery = FaceGallery(place, threshold=0.5)
    gallery.enroll("Ann", [1, 0], consent=NOTE)
    assert gallery.identify([0, 1]) == []
    assert gallery.identify([[0, 1], [2, 0]]) == [[], [("Ann", 0.0)]]


def test_people_whose_consent_has_expired_are_nobody(place, monkeypatch):
    gallery = fill(place, np.tile(unit(np.array([1.0, 1])), (40, 1)), threshold=0.5)
    gallery.enroll("Ann", [1, 0.9], consent=NOTE, expires="2126-01-31")
    gallery.enroll("Bob", [1, 0.8], consent=NOTE)
    near = gallery.identify([1, 0.8], k=50)
    assert [name for name, _ in near[:2]] == ["Bob", "Ann"]
    assert len(near) == 42
    later = time.time() + 200 * 365 * 86400
    monkeypatch.setattr(face_gallery.time, "time", lambda: later)
    assert gallery.identify([1, 0.8], k=2) == [near[0], near[2]]


@pytest.mark.parametrize(
    ("embedding", "k", "message"),
    [
        ([1, 0, 0], 5, "has embeddings of 2 numbers, got 3"),
        ([0, 0], 5, "an embedding is zero"),
        ([1, 0], 0, "identify: `k` must be a whole number from 1"),
    ],
)
def test_what_cannot_be_identified_is_refused(place, embedding, k, message):
    gallery = fill(place, embeddings(3, 2), threshold=1)
    with pytest.raises(ValueError, match=message):
        gallery.identify(embedding, k)


def test_an_empty_gallery_and_one_without_a_threshold_are_refused(place):
    gallery = FaceGallery(place)
    with pytest.raises(ValueError, match="is empty: enrol people first"):
        gallery.identify([1, 0])
    gallery.enroll("Ann", [1, 0], consent=NOTE)
    with pytest.raises(ValueError, match="has no threshold: open it with one"):
        gallery.identify([1, 0])


def test_who_is_forgotten_after_the_search_is_not_named(place, monkeypatch):
    gallery = FaceGallery(place, threshold=2)
    gallery.enroll("Ann", [1, 0], consent=NOTE)
    gallery.enroll("Bob", [0, 1], consent=NOTE)
    look_up = face_gallery.names_of

    def names_of(*arguments):
        if "Ann" in gallery:
            gallery.forget("Ann")
            gallery.enroll("Cho", [1, 1], consent=NOTE)  # in the row of Ann
        return look_up(*arguments)

    monkeypatch.setattr(face_gallery, "names_of", names_of)
    assert [name for name, _ in gallery.identify([1, 0])] == ["Cho", "Bob"]


# The matrix


def test_who_was_enrolled_by_another_is_found(place, small_chunks):
    first, second = FaceGallery(place, threshold=0.1), FaceGallery(place)
    for number, vector in enumerate(embeddings(12, 3)):
        (first, second)[number % 2].enroll(f"person {number}", vector, consent=NOTE)
        for gallery in (first, second):
            assert gallery.identify(vector, k=1) == [(f"person {number}", 0.0)]


NAMES = [f"person {number}" for number in range(6)]
STEPS = st.tuples(st.sampled_from(["enroll", "forget", "identify"]), st.sampled_from(NAMES))


@given(steps=st.lists(st.tuples(STEPS, st.integers(0, 1)), max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_two_processes_agree_with_a_dictionary(tmp_path_factory, small_chunks, steps):
    place = tmp_path_factory.mktemp("people") / "people.db"
    galleries, here = [FaceGallery(place, threshold=2), FaceGallery(place)], {}
    vectors = dict(zip(NAMES, embeddings(len(NAMES), 3), strict=True))
    for (step, name), which in steps:
        gallery = galleries[which]
        if step == "identify" and here:
            found = gallery.identify(vectors[name], k=9)
            apart = {each: np.linalg.norm(here[each] - vectors[name]) for each in here}
            assert [each for each, _ in found] == sorted(here, key=lambda each: apart[each])
        elif step == "enroll" and name not in here:
            gallery.enroll(name, vectors[name], consent=NOTE)
            here[name] = vectors[name]
        elif step == "forget" and name in here:
            gallery.forget(name)
            del here[name]
        assert len(gallery) == len(here)
    assert galleries[0].names().keys() == here.keys()


def test_a_template_that_is_damaged_in_the_database_is_found(place):
    gallery = fill(place, embeddings(5, 3), threshold=2)
    damage = sa.update(PEOPLE).where(PEOPLE.c.row == 3).values(template=b"\1" * 12)
    gallery.store.write(lambda connection: connection.execute(damage))
    with pytest.raises(ValueError, match="is damaged: the sum of its templates does not agree"):
        gallery.identify([1, 2, 3])


def header_changed(path):
    path.write_bytes(path.read_bytes()[:30] + b"x" + path.read_bytes()[31:])


def row_changed(path):
    data = bytearray(path.read_bytes())
    data[matrix_file.START + 8 * 3 + 5] ^= 1
    path.write_bytes(data)


def cut_short(path):
    path.write_bytes(path.read_bytes()[: matrix_file.START + 10])


@pytest.mark.parametrize(
    "damage",
    [header_changed, row_changed, cut_short, os.remove, lambda path: path.write_text("")],
)
def test_a_damaged_matrix_is_written_anew(place, small_chunks, damage):
    vectors = embeddings(10, 3)
    gallery = fill(place, vectors, threshold=2)
    wanted = gallery.identify(vectors)
    whole = matrix_of(gallery).read_bytes()
    gallery.close()
    damage(matrix_of(gallery))
    assert FaceGallery(place).identify(vectors) == wanted
    assert matrix_of(gallery).read_bytes() == whole


def test_a_matrix_that_is_damaged_while_it_is_in_use_is_written_anew(place, small_chunks):
    vectors = embeddings(10, 3)
    gallery = fill(place, vectors, threshold=2)
    wanted = gallery.identify(vectors)
    for damage in (header_changed, os.remove, lambda path: os.truncate(path, 5000)):
        damage(matrix_of(gallery))
        assert gallery.identify(vectors) == wanted


def test_an_older_database_that_takes_its_place_is_followed(tmp_path):
    """A backup has another history from some generation on: the numbers agree, the rows not."""
    place, backup = tmp_path / "people.db", tmp_path / "backup.db"
    gallery = fill(place, embeddings(5, 3), threshold=0.01)
    gallery.close()
    shutil.copy(place, backup)
    for path, names in ((place, ("Ann", "Bob")), (backup, ("Bob", "Ann"))):
        with FaceGallery(path) as gallery:
            gallery.enroll(names[0], [1, 2, 3], consent=NOTE)
            gallery.enroll(names[1], [3, 2, 1], consent=NOTE)
            gallery.identify([1, 2, 3])
    shutil.copy(backup, place)
    with FaceGallery(place) as gallery:
        assert gallery.identify([1, 2, 3]) == [("Bob", 0.0)]
        assert gallery.identify([3, 2, 1]) == [("Ann", 0.0)]


def test_a_matrix_that_cannot_be_written_is_one_line(place, monkeypatch):
    gallery = fill(place, embeddings(5, 3), threshold=2)
    path = matrix_of(gallery)
    path.mkdir()
    with pytest.raises(ValueError, match=r"\.matrix cannot be used: Is a directory\.$"):
        gallery.identify([1, 2, 3])
    assert gallery.verify("1", [1, 2, 3]).threshold == 2


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_fork_searches_with_a_lock_of_its_own(place):
    vectors = embeddings(10, 3)
    gallery = fill(place, vectors, threshold=2)
    wanted = gallery.identify(vectors)
    with gallery.matrix.current():
        child = os.fork()
        if not child:
            gallery.matrix.mutex.release()  # of the thread that is not in the child
            os._exit(int(gallery.identify(vectors) != wanted))
        assert os.waitpid(child, 0)[1] == 0


def test_the_matrix_has_the_permissions_of_the_database(tmp_path):
    place = tmp_path / "people.db"
    place.touch(0o640)
    gallery = fill(place, embeddings(5, 3), threshold=2)
    gallery.identify([1, 2, 3])
    assert Path(f"{place}.matrix").stat().st_mode & 0o777 == 0o640
    assert open_tables(place).engine.url.database == str(place)
