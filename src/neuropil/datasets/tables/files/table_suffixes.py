"""Suffixes of the files that hold tables, in lower case and without that of a compression."""

TEXT = (".csv", ".tsv")
PARQUET = (".parquet",)
ARROW = (".feather", ".arrow", ".ipc")
JSON_LINES = (".jsonl", ".ndjson")
WORKBOOK = (".xlsx", ".xls", ".ods")
ARFF = (".arff",)
TABLE_SUFFIXES = (*TEXT, *PARQUET, *ARROW, *JSON_LINES, *WORKBOOK, *ARFF)
