"""authctl: a passwordless login service, its command line, and a harness that tests any WebAuthn server."""

__version__ = "0.1.0"
