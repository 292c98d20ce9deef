"""Signature algorithms of credentials, one file per family of keys."""
