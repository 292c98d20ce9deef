"""Registration and login ceremonies as WebAuthn Level 3 sections 7.1 and 7.2 describe them."""
