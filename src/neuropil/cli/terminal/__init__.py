"""Output to the terminal: its encoding, and the processes that write it."""
