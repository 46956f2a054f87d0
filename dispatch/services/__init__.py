"""Use cases: one file each, one transaction per function."""
