"""From a derivative program to text, and from text to live functions."""
