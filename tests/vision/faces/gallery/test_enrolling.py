"""Who is enrolled, verified and listed, and one line for each that is refused."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime

import numpy as np
import pytest
import sqlalchemy as sa

from neuropil.cli.error_line import explain
from neuropil.vision import FaceGallery
from neuropil.vision.faces.gallery import face_gallery

NOTE = "signed on 2026-01-31, for the door"
HUGE = "x" * 201


@pytest.fixture
def gallery(place):
    """Three people in three directions."""
    gallery = FaceGallery(place, network="6f1b", threshold=0.5)
    for name, embedding in zip(("Ann", "Bob", "Cho"), np.eye(3), strict=True):
        gallery.enroll(name, embedding, consent=NOTE)
    return gallery


def refusal(call):
    """Return the one line that the command line shows for a call."""
    with pytest.raises((ValueError, OSError)) as caught:
        call()
    line = explain(caught.value)
    assert line is not None
    assert "\n" not in line
    assert "NEUROPIL_DEBUG" not in line
    return line


def later(monkeypatch, seconds):
    """Let time pass for the gallery."""
    now = face_gallery.time.time() + seconds
    monkeypatch.setattr(face_gallery.time, "time", lambda: now)


def test_a_template_is_the_direction_of_the_mean_of_unit_vectors(gallery):
    gallery.enroll("Dee", [[3, 0, 0], [0, 4, 0]], consent=NOTE)
    template = next(p["template"] for p in gallery.export() if p["name"] == "Dee")
    assert template == pytest.approx([0.5**0.5, 0.5**0.5, 0], abs=1e-7)


@pytest.mark.parametrize("scale", [1e-300, 1, 1e300])
def test_the_length_of_an_embedding_does_not_matter(gallery, scale):
    gallery.enroll("Dee", [3 * scale, 4 * scale, 0], consent=NOTE)
    found = gallery.verify("Dee", [0.6, 0.8, 0])
    assert found == face_gallery.Verification(True, 0.0, 0.5)


@pytest.mark.parametrize(
    ("embedding", "accepted", "distance"),
    [([1, 0, 0], True, 0), ([0, 1, 0], False, 2**0.5), ([-5, 0, 0], False, 2)],
)
def test_a_person_is_accepted_within_the_threshold(gallery, embedding, accepted, distance):
    found = gallery.verify("Ann", embedding)
    assert found.accepted is accepted
    assert found.distance == pytest.approx(distance)


def test_what_was_enrolled_is_there_for_the_next(gallery, place):
    again = FaceGallery(place)
    assert (again.network, again.threshold, len(again)) == ("6f1b", 0.5, 3)
    assert again.names() == {"Ann": None, "Bob": None, "Cho": None}
    assert "Bob" in again
    assert "Dee" not in again
    assert "" not in again
    assert again.verify("Bob", [0, 1, 0]).accepted


def test_a_new_threshold_replaces_the_old(gallery, place):
    assert FaceGallery(place, threshold=2).verify("Ann", [-1, 0, 0]).accepted
    assert gallery.threshold == 2


def test_a_gallery_moves_by_export_and_enrolment(gallery, tmp_path):
    gallery.enroll("Dee", [1, 2, 3], consent=NOTE, expires="2126-01-31")
    plain = json.loads(json.dumps(list(gallery.export())))
    assert plain[3]["expires"] == "2126-02-01T00:00:00Z"
    assert plain[3].keys() == {"name", "consent", "enrolled", "expires", "template"}
    with FaceGallery(tmp_path / "moved.db") as moved:
        for person in plain:
            name, _ = person.pop("name"), person.pop("enrolled")
            moved.enroll(name, person.pop("template"), **person)
        moved_people = list(moved.export())
    for old, new in zip(gallery.export(), moved_people, strict=True):
        assert old | {"enrolled": 0} == new | {"enrolled": 0}


def test_names_are_compared_as_people_read_them(gallery):
    gallery.enroll(" Jose\u0301  Ruiz ", [1, 1, 1], consent=NOTE)
    assert "Jos\u00e9 Ruiz" in gallery
    assert "is enrolled already" in refusal(
        lambda: gallery.enroll("Jos\u00e9 Ruiz", [1, 1, 1], consent=NOTE)
    )


# Expiry


@pytest.mark.parametrize(
    "expires",
    [
        "2126-01-31",
        date(2126, 1, 31),
        "2126-02-01T01:00+01:00",
        datetime(2126, 2, 1, tzinfo=UTC),
    ],
)
def test_a_date_counts_until_its_end_in_utc(gallery, expires):
    gallery.enroll("Dee", [1, 1, 1], consent=NOTE, expires=expires)
    assert gallery.names()["Dee"] == "2126-02-01T00:00:00Z"


def test_a_person_is_not_verified_after_the_consent_has_expired(gallery, monkeypatch):
    gallery.enroll("Dee", [1, 1, 1], consent=NOTE, expires="2126-01-31")
    assert gallery.verify("Dee", [1, 1, 1]).accepted
    later(monkeypatch, 200 * 365 * 86400)
    line = refusal(lambda: gallery.verify("Dee", [1, 1, 1]))
    assert line.startswith("the consent of 'Dee' expired at 2126-02-01T00:00:00Z: forget")
    assert "Dee" in gallery.names()


# What is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "Ann"}, "'Ann' is enrolled already in "),
        ({"name": " "}, "a name must be printable text of 1 to 200 characters, got ' '."),
        ({"name": HUGE}, "a name must be printable text of 1 to 200 characters, got 'xxx"),
        ({"name": "a\x00b"}, "a name must be printable text"),
        ({"name": "a\ud800b"}, "a name must be printable text"),
        ({"name": 3}, "a name must be printable text of 1 to 200 characters, got 3."),
        ({"consent": "  "}, "`consent` must be text of 1 to 10,000 characters that tells who"),
        ({"consent": "x" * 10_001}, "`consent` must be text of 1 to 10,000 characters"),
        ({"consent": None}, "who agreed to what and when, got None."),
        ({"expires": "soon"}, "`expires` must be a date such as '2030-12-31', got 'soon'."),
        ({"expires": 20301231}, "`expires` must be a date"),
        ({"expires": date.max}, "`expires` must be a date"),
        ({"expires": "2001-01-01"}, "the consent expired at 2001-01-02T00:00:00Z."),
        ({"embeddings": [1, 0]}, "people.db has embeddings of 3 numbers, got 2: use the netwo"),
        ({"embeddings": [0, 0, 0]}, "an embedding is zero: it has no direction."),
        ({"embeddings": [[1, 0, 0], [0, 0, 0]]}, "an embedding is zero"),
        ({"embeddings": [1, np.nan, 0]}, "an embedding has numbers that are infinite or NaN."),
        ({"embeddings": [1, np.inf, 0]}, "an embedding has numbers that are infinite or NaN."),
        ({"embeddings": [[1, 0, 0], [-1, 0, 0]]}, "the embeddings cancel each other"),
        ({"embeddings": []}, "embeddings must have the shape (D,) or (K, D), with D from 1"),
        ({"embeddings": np.ones((0, 3))}, "there must be at least one embedding, got the sha"),
        (
            {"embeddings": np.ones((1, 1, 3))},
            "or (K, D), with D from 1 to 65,536, got (1, 1, 3).",
        ),
        ({"embeddings": 3.0}, "embeddings must have the shape (D,) or (K, D)"),
        ({"embeddings": [[1, 0], [1]]}, "embeddings must be numbers, got [[1, 0], [1]]."),
        ({"embeddings": "Ann"}, "embeddings must be numbers, got 'Ann'."),
    ],
)
def test_a_person_who_cannot_be_enrolled_is_refused(gallery, arguments, message):
    fine = {"name": "Dee", "embeddings": [1, 2, 3], "consent": NOTE}
    line = refusal(lambda: gallery.enroll(**fine | arguments))
    assert message.removeprefix("people.db") in line
    assert list(gallery.names()) == ["Ann", "Bob", "Cho"]


@pytest.mark.parametrize(
    ("name", "embedding", "message"),
    [
        ("Dee", [1, 0, 0], "nobody of the name 'Dee' is enrolled."),
        ("Ann", [1, 0], "has embeddings of 3 numbers, got 2"),
        ("Ann", np.eye(3), "verify takes one embedding, got 3."),
        ("Ann", [0, 0, 0], "an embedding is zero"),
    ],
)
def test_what_cannot_be_verified_is_refused(gallery, name, embedding, message):
    assert message in refusal(lambda: gallery.verify(name, embedding))


def test_an_unknown_name_does_not_tell_other_names(gallery):
    assert "Bob" not in refusal(lambda: gallery.verify("Rob", [1, 0, 0]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": "77aa"}, "has embeddings of the network '6f1b', not of '77aa': use that"),
        ({"network": ""}, "`network` must be printable text, got ''."),
        ({"threshold": 2.5}, "FaceGallery: `threshold` must be a number in [0, 2] or None"),
        ({"threshold": np.nan}, "FaceGallery: `threshold` must be a number in [0, 2] or None"),
    ],
)
def test_options_that_do_not_fit_are_refused(gallery, place, options, message):
    assert message in refusal(lambda: FaceGallery(place, **options))
    assert (gallery.network, gallery.threshold) == ("6f1b", 0.5)


def test_a_gallery_without_a_threshold_or_people_answers_in_one_line(place):
    gallery = FaceGallery(place)
    assert "nobody of the name 'Ann' is enrolled." in refusal(
        lambda: gallery.verify("Ann", [1, 0])
    )
    gallery.enroll("Ann", [1, 0], consent=NOTE)
    assert "has no threshold: open it with one" in refusal(
        lambda: gallery.verify("Ann", [1, 0])
    )


def test_a_gallery_of_a_newer_format_is_refused(place):
    gallery = FaceGallery(place)
    newer = sa.text("UPDATE neuropil_store SET format = 2")
    gallery.store.write(lambda connection: connection.execute(newer))
    assert "has format 2, and this version of neuropil uses format 1: update" in refusal(
        lambda: FaceGallery(place)
    )


def test_a_gallery_that_was_cut_short_is_refused(tmp_path):
    path = tmp_path / "people.db"
    gallery = FaceGallery(path, threshold=1)
    for number in range(100):
        gallery.enroll(f"person {number}", [1, number], consent=NOTE * 20)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(path.read_bytes()[:20_000])
    assert "people.db cannot be used: database disk image is malformed." in refusal(
        lambda: FaceGallery(path).names()
    )


def test_the_gallery_imports_no_torch(tmp_path):
    code = (
        "import sys\n"
        "from neuropil.vision import FaceGallery\n"
        f"gallery = FaceGallery({str(tmp_path / 'people.db')!r}, threshold=1)\n"
        "gallery.enroll('Ann', [1, 0], consent='yes')\n"
        "assert gallery.verify('Ann', [1, 0]).accepted\n"
        "print(*sys.modules)"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not {"torch", "numba", "scipy", "sklearn"} & set(run.stdout.split())
