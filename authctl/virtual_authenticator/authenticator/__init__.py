"""The authenticator's part: keys, user gesture, counters, and the two operations that sign."""
