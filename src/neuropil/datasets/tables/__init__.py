"""Tables: their columns, their target, and what both mean."""
