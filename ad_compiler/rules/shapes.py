"""Rows of shapes."""
