"""Small functions with example arguments: each construct in four positions, against two oracles."""
