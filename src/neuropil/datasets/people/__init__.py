"""Pictures of people, of which those of one person must be told from those of others."""
