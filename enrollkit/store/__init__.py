"""The encrypted database: every write is one transaction."""
