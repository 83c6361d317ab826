"""Rows of linalg."""
