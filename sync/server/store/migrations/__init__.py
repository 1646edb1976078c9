"""Every shape that the database had; Alembic runs them in order."""
