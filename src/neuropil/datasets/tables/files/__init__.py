"""Files of tables: each format has a reader, which returns a `Table`."""
