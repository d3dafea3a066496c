"""The batches of a pass over a source: where they begin and end, and which sizes they hold."""
