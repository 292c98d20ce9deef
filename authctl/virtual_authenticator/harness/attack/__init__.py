"""Plays the catalogue of attacks against a server, judges what comes back, and compares it with the last time."""
