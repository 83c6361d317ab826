"""Rows of indexing."""
