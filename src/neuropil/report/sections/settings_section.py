"""The section on the settings and versions, which make a run repeatable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from neuropil.report.page import Section

if TYPE_CHECKING:
    from neuropil.report.subject import Subject


def settings_section(subject: Subject) -> Section | None:
    """Return all settings and versions; None if there are none."""
    if not subject.settings and not subject.versions:
        return None
    settings, versions = (
        list(list_settings(values)) for values in (subject.settings, subject.versions)
    )
    return Section("settings", settings=settings, versions=versions)


def list_settings(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield each setting that is not None; the name of a nested one is ``outer: inner``."""
    for key, value in values.items():
        name = before + str(key).replace("_", " ")
        if isinstance(value, Mapping) and "type" not in value:
            yield from list_settings(value, f"{name}: ")
        elif value is not None:
            yield name, setting_text(value)


def setting_text(value: object) -> str:
    """Return a setting as text."""
    match value:
        case None | bool():
            text = {None: "none", True: "yes", False: "no"}[value]
        case Mapping():
            text = call_text(value)
        case list() | tuple():
            text = ", ".join(map(setting_text, value)) or "none"
        case float():
            text = f"{value:g}"
        case _:
            text = str(value)
    return text


def call_text(value: Mapping[str, Any]) -> str:
    """Return a type with its arguments as a Python call."""
    arguments = value.get("arguments") or {}
    given = ", ".join(f"{name}={setting_text(item)}" for name, item in arguments.items())
    return f"{value.get('type')}({given})"
