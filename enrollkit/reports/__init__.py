"""Figures that add up: pure sums over counts, and what of them is signed and printed."""
