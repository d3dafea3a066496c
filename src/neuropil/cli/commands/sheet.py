"""``neuropil sheet``: the cheat sheet in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.syntax import Syntax

    from neuropil.cli.catalogue import Item
    from neuropil.cli.docstring import Doc


def sheet(
    name: Annotated[
        str | None, typer.Argument(help="An item, or a word to search for. Default: list all.")
    ] = None,
) -> None:
    """Look up a layer, an optimiser, a loss …: definition, shapes, example.

    Names of PyTorch, Keras and scikit-learn, such as nn.Conv2d or Dense, find ours.

    Without a name, list all items by section, one line each.
    """
    from neuropil.cli.catalogue import items
    from neuropil.cli.console import console, note
    from neuropil.foreign_names import bare

    known = items()
    if name is None:
        show_list(console(), list(known.values()))
        return
    item = find(name, known)
    if item is not None:
        if bare(item.name) != bare(name):
            note(f"{name} is {item.name} here.")
        show_item(console(), item)
        return
    show_list(console(), search(name, known))


def find(name: str, known: dict[str, Item]) -> Item | None:
    """Return the item of that name, or of the one that has this name elsewhere.

    An exact match wins over case and underscores, and these over the names of other libraries.
    """
    from neuropil.foreign_names import bare, our_name

    if name in known:
        return known[name]
    last = name.rpartition(".")[2].replace("_", "").casefold()
    own = next((i for n, i in known.items() if n.replace("_", "").casefold() == last), None)
    foreign = known.get(our_name(name) or "")
    alike = next((i for n, i in known.items() if bare(n) == bare(name)), None)
    # "Dense" is a layer of Keras, and our `dense` is a function.
    is_class = name.rpartition(".")[2][:1].isupper()
    if own is not None and is_class and own.name.islower():
        return foreign or own
    return own or foreign or alike


def search(word: str, known: dict[str, Item]) -> list[Item]:
    """Return the items with a word in their name, or else in their first line or section.

    Raises:
        ValueError: When no item contains the word; the nearest name is suggested.
    """
    from neuropil.text import nearest

    wanted = word.casefold()
    for texts in (lambda i: i.name, lambda i: f"{i.section} {i.line}"):
        found = [item for item in known.values() if wanted in texts(item).casefold()]
        if found:
            return found
    near = nearest(word, known) or " `neuropil sheet` lists all."
    raise ValueError(f"the sheet has no item {word!r}.{near}")


def show_list(console: Console, found: list[Item]) -> None:
    """Print names and first lines by section; through a pipe one line per item, for `grep`."""
    from rich.table import Table
    from rich.text import Text

    from neuropil.cli.catalogue import SECTIONS
    from neuropil.cli.console import prose

    for section in dict.fromkeys(item.section for item in found):
        console.print(f"\n[bold]{section}[/]  [dim]{SECTIONS[section][0]}[/]")
        rows = [(f"  {i.name}", prose(i.line)) for i in found if i.section == section]
        width = max(len(name) for name, _ in rows) + 2
        table = Table.grid()
        table.add_column(width=width, no_wrap=True, style="cyan")
        table.add_column()
        for name, line in rows:
            table.add_row(name, line)
            if not console.is_terminal:
                console.print(Text(name.ljust(width)) + line, soft_wrap=True)
        if console.is_terminal:
            console.print(table)
    console.print("\nFull entry: [cyan]neuropil sheet NAME[/]")


def show_item(console: Console, item: Item) -> None:
    """Print the full docstring of an item, with its import and its signature."""
    from rich.padding import Padding
    from rich.text import Text

    from neuropil.cli.console import prose
    from neuropil.cli.docstring import doc_of, signature_of

    doc = doc_of(item.thing)
    console.print(Text.assemble((item.name, "bold"), "   ", (item.section.lower(), "dim")))
    console.print(Padding(prose(doc.line), (0, 0, 0, 2)))
    usage = f"from {item.home} import {item.name}"
    signature = signature_of(item.thing, item.name)
    if signature:
        usage += f"\n{signature}"
    console.print(Padding(highlight(usage, "python"), (1, 0, 0, 2)))
    if doc.text:
        console.print(Padding(prose(doc.text), (1, 0, 0, 2)))
    show_sections(console, doc)


def highlight(code: str, language: str) -> Syntax:
    """Return code highlight in the terminal's own colours."""
    from rich.syntax import Syntax

    return Syntax(code, language, theme="ansi_dark", background_color="default", word_wrap=True)


def show_sections(console: Console, doc: Doc) -> None:
    """Print the sections in the order of the docstring."""
    from rich.padding import Padding
    from rich.table import Table

    from neuropil.cli.console import prose
    from neuropil.cli.docstring import items_of

    for title, text in doc.sections.items():
        console.print(f"\n[bold]{TITLES.get(title, title)}[/]")
        if title == "Example":
            body = highlight(text, "pycon")
        elif title in TABULAR:
            body = Table.grid(padding=(0, 2, 0, 0))
            body.add_column(no_wrap=True, style="cyan")
            body.add_column()
            for name, said in items_of(text):
                body.add_row(name, prose(said))
        else:
            body = prose(text)
        console.print(Padding(body, (0, 0, 0, 2)))


TITLES = {"Args": "Arguments"}
TABULAR = ("Args", "Attributes", "Raises")
