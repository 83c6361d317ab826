"""Passes that make a derivative program shorter and faster without changing its numbers."""
