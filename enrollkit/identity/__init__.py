"""Reading what is scanned, typed or found in a picture."""
