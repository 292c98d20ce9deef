"""Where credentials are kept: in memory or in a file."""
