"""The page around the sections: title, ways through it, style; nothing is ever loaded."""

from __future__ import annotations

from importlib import resources
from pathlib import PurePath
from typing import TYPE_CHECKING

from neuropil.report.headline import summary
from neuropil.report.html import Html, element
from neuropil.report.sections.certainty_section import certainty_section
from neuropil.report.sections.data_section import data
from neuropil.report.sections.gradients_section import gradients
from neuropil.report.sections.mistakes_section import mistakes
from neuropil.report.sections.network_section import network
from neuropil.report.sections.results_section import results
from neuropil.report.sections.settings_section import settings
from neuropil.report.sections.training_section import training
from neuropil.report.sections.use_section import use

if TYPE_CHECKING:
    from neuropil.report.subject import Subject

SECTIONS = {
    "Summary": summary,
    "Results": results,
    "Mistakes": mistakes,
    "Certainty": certainty_section,
    "Training": training,
    "Gradients": gradients,
    "Network": network,
    "Data": data,
    "Use it": use,
    "Settings": settings,
}
# A browser that heeds this loads nothing and runs nothing, whatever a name may hold.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(subject: Subject) -> str:
    """Return the whole report as HTML."""
    made = {title: make(subject) for title, make in SECTIONS.items()}
    shown = {title: section for title, section in made.items() if section is not None}
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{title(subject)}: Neuropil report"),
        element("style", Html(style())),
    )
    body = element(
        "body",
        header(subject),
        ways(shown),
        element("main", list(shown.values())),
        footer(subject),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def style() -> str:
    """Return the style sheet."""
    return resources.files("neuropil.report").joinpath("style.css").read_text("utf-8")


def header(subject: Subject) -> Html:
    """Return the title."""
    above = element("small", f"Neuropil report · {subject.splits.task}")
    return element("header", element("h1", above, title(subject)))


def title(subject: Subject) -> str:
    """Return what the data are called, without the folders around them."""
    return PurePath(subject.splits.source).name or subject.splits.source


def ways(shown: dict[str, Html]) -> Html:
    """Return links to the sections."""
    links = []
    for title, section in shown.items():
        place = section.partition(' id="')[2].partition('"')[0]
        links.append(element("li", element("a", title, href=f"#{place}")))
    return element("nav", element("ul", links), aria_label="Sections")


def footer(subject: Subject) -> Html:
    """Return where this comes from."""
    version = subject.versions.get("neuropil")
    by = f"Neuropil {version}" if version else "Neuropil"
    return element("footer", f"Made by {by} from the run {subject.run}.")
