"""The report on a training: one file that tells a person everything, and opens offline."""

from neuropil.report.write import write_report

__all__ = ["write_report"]
