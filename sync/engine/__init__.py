"""The session that carries batches out and news home."""
