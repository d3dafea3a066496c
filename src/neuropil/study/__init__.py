"""Studies: which changes to a training help on your data, measured over seeds and examples."""
