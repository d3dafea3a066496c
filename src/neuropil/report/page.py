"""Pages from templates: all that goes into one is escaped, and nothing is ever loaded."""

from __future__ import annotations

import functools
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from neuropil.report import wording
from neuropil.text import number_of, visible

if TYPE_CHECKING:
    from collections.abc import Mapping


class Section(NamedTuple):
    """One section of a page.

    Args:
        template: The name of its template, without the ending.
        values: The values that the template shows, by name.
    """

    template: str
    values: Mapping[str, Any]


def render(template: str, values: Mapping[str, Any]) -> Markup:
    """Return a template of this package with its values filled in.

    Args:
        template: Its name, without the ending.
        values: The values by the names that the template uses. Text is escaped; `Markup`, such
            as a drawing, is not.

    Example:
        >>> page = render("base", {"title": "A < B", "sections": []})
        >>> "<title>A &lt; B: Neuropil</title>" in page
        True
    """
    return Markup(environment().get_template(f"{template}.html.jinja").render(values))


def render_sections(sections: Mapping[str, Section | None]) -> list[dict[str, str]]:
    """Return the sections that are there, as the base page takes them.

    Args:
        sections: By title; the first word of the title is the section's address in the page.
    """
    return [
        {
            "id": title.lower().split()[0],
            "title": title,
            "html": render(section.template, section.values),
        }
        for title, section in sections.items()
        if section is not None
    ]


@functools.cache
def environment() -> Environment:
    """Return the templates with the filters that write numbers."""
    found = Environment(
        loader=PackageLoader("neuropil.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=show,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for write in (
        number_of, wording.duration, wording.figure_name, wording.figure_text,
        wording.number, wording.percent, wording.thousands,
    ):  # fmt: skip
        found.filters[write.__name__] = write
    style = resources.files("neuropil.report").joinpath("style.css").read_text("utf-8")
    found.globals["style"] = Markup(style)
    return found


def show(value: object) -> object:
    """Return a value as a UTF-8 page can hold it and a reader sees it."""
    return value if isinstance(value, Markup) else visible(value)
