"""The command line: start it, set it up, look at it."""
