"""Measurements of the service on the machine at hand; nothing here is a test."""
