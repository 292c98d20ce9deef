"""A software authenticator and client that run WebAuthn ceremonies without a browser."""
