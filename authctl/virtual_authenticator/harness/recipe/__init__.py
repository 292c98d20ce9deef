"""Recipes: small TOML files that say how ceremonies are run against a server which is not ours."""
