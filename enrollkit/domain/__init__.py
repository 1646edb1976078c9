"""What enrolling a person means. Pure: time, ids and randomness are arguments."""
