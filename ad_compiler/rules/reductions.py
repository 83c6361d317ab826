"""Rows of reductions."""
