"""The outside where accounts are read: exchanges through ccxt."""
