"""96533 Dispatch: one call, one ticket, one crew, one visit, one repair."""

__version__ = "0.1.0"
