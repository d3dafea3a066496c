"""Rows of a table as a person knows them."""

from neuropil.datasets import NumberColumn
from neuropil.report.data_kinds import cell


def test_a_number_is_shown_in_its_own_units():
    column = NumberColumn("time", 1.7e12, indicator=False, offset=1.7e12)
    assert cell(column, [-6000.0]) == "1699999994000"
    assert cell(NumberColumn("age", 30.0, indicator=False), [41.0]) == "41"
