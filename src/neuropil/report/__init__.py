"""The report on a training: one self-contained HTML file that opens offline."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.report.write import write_report as write_report

load_on_use(__name__, __file__)
