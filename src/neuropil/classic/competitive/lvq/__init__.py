"""Learning vector quantisation."""
