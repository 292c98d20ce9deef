"""`authctl simulate load`: many ceremonies at a time, and what they took."""
