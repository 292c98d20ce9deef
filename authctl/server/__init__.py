"""The passwordless login service: ceremonies, accounts, tokens, audit trail, and the HTTP edge in front of them."""
