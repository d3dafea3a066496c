"""Look-up by a name that a person typed."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from neuropil.checks import shown
from neuropil.foreign_names import suggestion
from neuropil.text import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


def look_up(name: str, table: Mapping[str, T], kind: str) -> T:
    """Return the entry of that name; case, ``_``, ``-`` and spaces do not matter.

    Args:
        name: The text typed.
        table: The entries by name.
        kind: Kind of the entries, for the error: "optimiser".

    Raises:
        ValueError: If there is none; the message gives Neuropil's name for it, or the nearest
            name, and all others.

    Example:
        >>> look_up("RMS-prop", {"adam": 1, "rmsprop": 2}, "optimiser")
        2
        >>> look_up("adma", {"adam": 1, "rmsprop": 2}, "optimiser")
        Traceback (most recent call last):
        ...
        ValueError: There is no optimiser 'adma'. Did you mean 'adam'? Known: adam, rmsprop.
    """
    found = {normalize_name(known): entry for known, entry in table.items()}
    if normalize_name(name) not in found:
        near = suggestion(name, table, kind)
        known = ", ".join(table)
        raise ValueError(f"There is no {kind} {shown(name)}.{near} Known: {known}.")
    return found[normalize_name(name)]


def normalize_name(name: str) -> str:
    """Return a name in lower case without spaces, hyphens and underscores."""
    return name.lower().translate(dict.fromkeys(map(ord, "_- ")))


def plain_options(text: str, maker: Callable[..., Any], *, leading: int = 0) -> dict[str, Any]:
    """Return the options in a text such as ``"SOFM(grid=(20, 20))"``, without executing it.

    Args:
        text: A name, or a call with numbers, strings, tuples and other literals.
        maker: The class or function it names, for the names of the parameters.
        leading: Number of leading parameters that the text does not give.

    Raises:
        ValueError: When it is not such a call, or an option is unknown.

    Example:
        >>> plain_options("sorted(reverse=True)", lambda items, reverse=False: 0, leading=1)
        {'reverse': True}
    """
    if "(" not in text:
        return {}
    names = list(inspect.signature(maker).parameters)[leading:]
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or any(k.arg is None for k in call.keywords):
            raise ValueError("it is not a call")
        if len(call.args) > len(names):
            raise ValueError("it has too many arguments")
        values = [
            *zip(names, call.args, strict=False),
            *((str(keyword.arg), keyword.value) for keyword in call.keywords),
        ]
        options = {name: plain_value(value) for name, value in values}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        name, said = text.partition("(")[0][:40], str(error) or "it is nested too deeply"
        raise ValueError(
            f"{shown(text)} must be a name or a call with plain values, such as "
            f"'{name}({names[0]}=…)': {said[:100]}."
        ) from None
    for name in options:
        if name not in names:
            raise ValueError(
                f"{text.partition('(')[0]} has no option {name!r}.{nearest(name, names)} It "
                f"has {', '.join(names)}."
            )
    return options


def plain_value(node: ast.expr) -> Any:
    """Return the value of a literal expression.

    Raises:
        ValueError: When it is not a literal.
    """
    try:
        return ast.literal_eval(node)
    except ValueError:
        written = ast.unparse(node)
        raise ValueError(f"{written[:40]!r} is not a plain value: write it out") from None
