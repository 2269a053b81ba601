"""The use cases: connect, list, sync, remove, users, tokens. No HTTP and no SQL text."""
