"""ABDM behind the central server: asking for ABHA numbers, and linking records to them."""
