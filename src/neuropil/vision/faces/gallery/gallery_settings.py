"""Settings of a gallery: the network that it belongs to, and the threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.checks import number, optional, shown
from neuropil.text import visible
from neuropil.vision.faces.gallery.gallery_tables import (
    change_gallery,
    lock_gallery,
    read_gallery,
)
from neuropil.vision.faces.gallery.people_rows import wrong_size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import Connection, Row

    from neuropil.store import Store


def check_settings(network: object, threshold: object) -> dict[str, Any]:
    """Return the settings that are given, by name.

    Raises:
        ValueError: If one is not valid.
    """
    limit = optional(check_threshold)(threshold, "FaceGallery: `threshold`")
    if network is not None and not (
        isinstance(network, str) and network and network == visible(network)
    ):
        raise ValueError(f"`network` must be printable text, got {shown(network)}.")
    given = {"network": network, "threshold": limit}
    return {name: value for name, value in given.items() if value is not None}


def check_threshold(value: object, what: str) -> float:
    """Return a threshold: a distance of unit vectors."""
    return number(value, what, "[0, 2]")


def store_settings(store: Store, given: dict[str, Any]) -> None:
    """Compare the network with the stored one, and store what is new.

    Args:
        store: The database.
        given: Settings by name, as `check_settings` returns them.

    Raises:
        ValueError: If the gallery belongs to another network.
    """

    def work(connection: Connection) -> None:
        stored, network = lock_gallery(connection).network, given.get("network")
        if None not in (stored, network) and stored != network:
            raise ValueError(
                f"{store.name} has embeddings of the network {shown(stored)}, not of "
                f"{shown(network)}: use that network, or begin another gallery."
            )
        change_gallery(connection, **given)

    stored = store.read(read_gallery)
    if any(getattr(stored, name) != value for name, value in given.items()):
        store.write(work)


def check_query(gallery: Row[Any], queries: NDArray[np.float32], place: str) -> float:
    """Return the threshold, after a check of the size of embeddings.

    Args:
        gallery: The settings and counters.
        queries: The embeddings.
        place: Name of the gallery, for messages.

    Raises:
        ValueError: If they do not fit the gallery, or it has no threshold.
    """
    if not gallery.people:
        raise ValueError(f"{place} is empty: enrol people first.")
    if gallery.size != queries.shape[1]:
        raise ValueError(wrong_size(place, gallery.size, queries.shape[1]))
    if gallery.threshold is None:
        raise ValueError(
            f"{place} has no threshold: open it with one, such as "
            "FaceGallery(place, threshold=0.8)."
        )
    return gallery.threshold
