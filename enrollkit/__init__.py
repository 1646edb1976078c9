"""enrollkit: the offline-first assisted enrollment kit, on the laptop."""
