"""Pictures of networks as graphs."""
