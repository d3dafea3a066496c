"""The page of a study: which changes help, by how much and at what cost."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.report.study.write_study import write_study as write_study

load_on_use(__name__, __file__)
