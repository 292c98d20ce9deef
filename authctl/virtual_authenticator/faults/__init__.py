"""Malformed and malicious ceremonies: what may be wrong with a message or a conversation, layer by layer."""
