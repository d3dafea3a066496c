"""Table of the published facts of all architectures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil import architectures
from neuropil.architectures.published.architecture_facts import facts_of
from neuropil.lazy import public_names

if TYPE_CHECKING:
    from neuropil.architectures.published.architecture_facts import Architecture


def zoo_table() -> dict[str, Architecture]:
    """Return the published facts of each public architecture, by name."""
    public = {name: getattr(architectures, name) for name in public_names(architectures)}
    found = {name: facts_of(function) for name, function in public.items()}
    return {name: facts for name, facts in found.items() if facts is not None}
