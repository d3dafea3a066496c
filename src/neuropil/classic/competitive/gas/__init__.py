"""Growing neural gas."""
