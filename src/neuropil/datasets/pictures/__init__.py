"""Readers for picture files and folders."""
