"""The templates: escaped, complete, in the package, and loaded only when a page is written."""

import importlib
import re
import subprocess
import sys
from importlib import resources

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from neuropil.datasets.preparations import KINDS
from neuropil.report.data_kinds import DATA_KINDS
from neuropil.report.page import Section, environment, render, render_sections
from neuropil.report.training_report import TASK_PAGES
from neuropil.runs.tasks import TASKS

REPORT = resources.files("neuropil.report")
TEMPLATES = sorted(file.name for file in REPORT.joinpath("templates").iterdir())
TITLE = {"title": "x", "sections": []}


def test_templates_and_style_are_files_of_the_package():
    assert "base.html.jinja" in TEMPLATES
    assert "--paper" in REPORT.joinpath("style.css").read_text("utf-8")
    assert environment().list_templates() == TEMPLATES


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_escapes_and_loads_nothing(name):
    source = REPORT.joinpath("templates", name).read_text("utf-8")
    environment().get_template(name)
    assert not re.search(r"\bsafe\b|autoescape|tojson|xmlattr|forceescape", source)
    # Without quotes, a space in a value would begin another attribute.
    assert not re.search(r"=\s*{{", re.sub(r"{%.*?%}", "", source, flags=re.DOTALL))
    assert not re.search(r"https?:|<script|<link|<iframe|\bon\w+=", source)


def test_only_what_draws_or_renders_is_not_escaped():
    trusting = {
        file.name
        for folder in (REPORT, REPORT.joinpath("sections"))
        for file in folder.iterdir()
        if file.name.endswith(".py") and "Markup(" in file.read_text("utf-8")
    }
    assert trusting == {"page.py", "svg.py", "network_section.py"}


def test_text_is_escaped_and_markup_is_not():
    page = render("base", TITLE | {"title": "<b>\"&'\x00\u202e"})
    assert "<title>&lt;b&gt;&#34;&amp;&#39;\\x00\\u202e: Neuropil</title>" in page
    section = {"id": "x", "title": "X", "html": Markup("<i>x</i>")}
    assert "<i>x</i>" in render("base", TITLE | {"sections": [section]})


@pytest.mark.parametrize("name", ["base", "training_report"])
def test_a_value_that_is_missing_is_an_error(name):
    with pytest.raises(UndefinedError, match="'title' is undefined"):
        render(name, {"sections": []})


def test_sections_without_content_are_left_out():
    empty = Section("training", epochs=0, seconds=0, curves=[])
    (found,) = render_sections({"Use it": empty, "Mistakes": None})
    assert (found["id"], found["title"]) == ("use", "Use it")
    assert "No epoch was trained." in found["html"]


def test_every_kind_of_data_has_its_words():
    assert DATA_KINDS.keys() == KINDS.keys()


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_its_pages_or_those_of_the_task_that_it_varies(name):
    module, _, class_name = TASKS[name].where.rpartition(".")
    task = getattr(importlib.import_module(module), class_name)
    assert {getattr(kind, "name", None) for kind in task.__mro__} & TASK_PAGES.keys()


def test_templates_are_loaded_only_when_a_page_is_written():
    code = "import sys, neuropil.cli.app; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split())
    assert "neuropil.cli.app" in loaded
    assert not {"jinja2", "markupsafe", "neuropil.report"} & loaded
