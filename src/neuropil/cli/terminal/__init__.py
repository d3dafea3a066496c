"""What reaches the terminal: in which encoding, and from which of several processes."""
