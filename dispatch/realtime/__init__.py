"""What changes, told to who is looking: one hub per process, and how it hears of a change."""
