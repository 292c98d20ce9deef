"""Drives whole ceremonies against a server, over HTTP or in the same process."""
