"""Keys at rest: the passphrase, the key file, the seal on the national id."""
