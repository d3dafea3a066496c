"""Encoders for the columns of a table: numbers, words and dates."""
