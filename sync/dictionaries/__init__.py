"""Trained zstd dictionaries, by number; a number is never reused for other bytes."""
