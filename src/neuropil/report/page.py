"""Pages from templates: every value is escaped, and a page never loads anything."""

from __future__ import annotations

import functools
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from neuropil.report import wording
from neuropil.text import duration, figure_name, number_of, visible

if TYPE_CHECKING:
    from collections.abc import Mapping


class Section:
    """One section of a page.

    Args:
        template: The name of its template, without the suffix.
        **values: The values that fill the template, by name.
    """

    def __init__(self, template: str, **values: Any) -> None:
        self.template, self.values = template, values


def render(template: str, values: Mapping[str, Any]) -> Markup:
    """Return a template of this package, filled with values.

    Args:
        template: Its name, without the suffix.
        values: The values by the names that the template uses. Text is escaped; `Markup`, such
            as a drawing, is not.

    Example:
        >>> page = render("base", {"title": "A < B", "sections": []})
        >>> "<title>A &lt; B: Neuropil</title>" in page
        True
    """
    return Markup(environment().get_template(f"{template}.html.jinja").render(values))


def render_sections(sections: Mapping[str, Section | None]) -> list[dict[str, str]]:
    """Return the sections that are not None, in the form that the base page takes.

    Args:
        sections: By title; the first word of the title becomes the anchor of the section.
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
    """Return the template environment, with the filters that format numbers."""
    found = Environment(
        loader=PackageLoader("neuropil.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=make_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for write in (
        number_of, duration, figure_name, wording.figure_text,
        wording.number, wording.percent, wording.thousands,
    ):  # fmt: skip
        found.filters[write.__name__] = write
    style = resources.files("neuropil.report").joinpath("style.css").read_text("utf-8")
    found.globals["style"] = Markup(style)
    return found


def make_visible(value: object) -> object:
    """Return a value in a form that UTF-8 can encode and a reader can see."""
    return value if isinstance(value, Markup) else visible(value)
