"""What is found out before a training: facts on the data, and whether a network can learn."""
