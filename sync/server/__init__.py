"""The central server of a state programme (extra `server`)."""
