"""HTML from Python: everything that is not HTML already is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import final

from neuropil.text import visible

VOID = {"br", "hr", "img", "meta"}


@final
class Html(str):
    """A piece of HTML; a plain string is text, and is escaped where it is put into HTML."""

    __slots__ = ()


Content = str | int | float | None | Iterable["Content"]


def element(tag: str, *content: Content, **attributes: object) -> Html:
    """Return an element.

    Args:
        tag: Its name.
        *content: Text, which is escaped, `Html`, which is not, or lists of both.
        **attributes: By name, where ``class_`` is class and ``_`` is ``-``; None and False are
            left out, True stands alone.

    Example:
        >>> element("p", "1 < 2 ", element("b", "&"), class_="note")
        '<p class="note">1 &lt; 2 <b>&amp;</b></p>'
    """
    start = "".join(map(attribute, attributes, attributes.values()))
    if tag in VOID:
        return Html(f"<{tag}{start}>")
    return Html(f"<{tag}{start}>{joined(content)}</{tag}>")


def attribute(name: str, value: object) -> str:
    """Return one attribute with a space in front, or nothing."""
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(clean(str(value)))}"'


def joined(content: Content) -> Html:
    """Return content as HTML; what is plain text is escaped."""
    match content:
        case None:
            return Html()
        case Html():
            return content
        case str() | int() | float():
            return Html(html.escape(clean(str(content)), quote=False))
    return Html("".join(map(joined, content)))


def clean(text: str) -> str:
    """Return text that a UTF-8 page can hold and that a reader sees as it is."""
    return visible(text)


def table(
    head: Iterable[Content], rows: Iterable[Iterable[Content]], *, class_: str | None = None
) -> Html:
    """Return a table whose rows begin with their heading, in a frame that scrolls sideways.

    Args:
        head: The heading of each column.
        rows: The cells of each row.
        class_: Class of the table.
    """
    top = element("tr", [element("th", cell, scope="col") for cell in head])
    body = []
    for row in rows:
        first, *rest = row
        cells = [element("td", cell) for cell in rest]
        body.append(element("tr", element("th", first, scope="row"), cells))
    whole = element("table", element("thead", top), element("tbody", body), class_=class_)
    # A region that scrolls must be reachable by keyboard.
    return element("div", whole, class_="scroll", tabindex="0", role="group")
