"""Which tricks help on your own data: the systematic evaluation."""
