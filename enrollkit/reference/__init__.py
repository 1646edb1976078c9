"""Facts that change without us: places, versioned and replaceable."""
