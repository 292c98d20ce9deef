"""Users, their roles and their credentials."""
