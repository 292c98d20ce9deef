"""Loads: many ceremonies at a time, with every answer timed and every failure told."""
