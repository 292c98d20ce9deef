"""The HTTP edge: parses a request, calls the service once, renders the answer."""
