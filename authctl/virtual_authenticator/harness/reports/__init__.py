"""Reports of ceremonies for other programs, one format per file."""
