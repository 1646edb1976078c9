"""Use cases: what the kit can do, for screens and commands alike. `Kit` is the composition root."""
