"""Channels that carry a notice to people, one file each."""
