"""Access tokens: issuing, verifying, and the keys that sign them."""
