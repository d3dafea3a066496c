"""Training by several processes: joint statistics, sharded networks."""
