"""Wallets of Bitcoin and of its kin: addresses, extended keys and descriptors."""
