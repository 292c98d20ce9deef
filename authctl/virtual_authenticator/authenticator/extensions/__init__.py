"""The authenticator's half of extensions (CTAP 2.1 §12), one file each."""
