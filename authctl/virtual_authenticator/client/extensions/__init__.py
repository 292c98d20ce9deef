"""The client's half of extensions (WebAuthn Level 3 §9, §10), one file each."""
