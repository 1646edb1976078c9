"""A practice ABDM: our own simulator of its routes, for training and for tests.

It is not ABDM and knows nobody. Its numbers begin with 00, as no real one does; its addresses with
``practice.``; its cards carry PRACTICE; each of its replies has the header ``X-Practice: yes``.
The server's own ABDM client does not know of it: only the addresses in the settings differ.
"""
