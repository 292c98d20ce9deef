"""Attestation statement formats, one file each."""
