"""Associative memories: patterns from parts of them, answers from cells."""
