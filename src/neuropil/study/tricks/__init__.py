"""Tricks: changes of a training whose effect a study measures."""
