"""Pages of studies, taken apart."""

import pytest
from tests.report.conftest import Page

from neuropil.report.study import write_study


@pytest.fixture(scope="session")
def page_of(tmp_path_factory):
    """Return a function that writes a study and takes its page apart."""
    folder = tmp_path_factory.mktemp("study")

    def written(found):
        return Page(write_study(folder / "study.html", found).read_text("utf-8"))

    return written
