"""Picture files and folders."""
