"""A durable gallery of people in a database, with a search matrix beside it."""
