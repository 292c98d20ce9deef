"""The client's part: origin and RP id rules, client data, the JSON forms of options and responses."""
