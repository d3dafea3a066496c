"""The runs of a study in a database that processes and machines share."""
