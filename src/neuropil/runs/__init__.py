"""Run folders, the results of a training, and the tasks that networks are trained for."""
