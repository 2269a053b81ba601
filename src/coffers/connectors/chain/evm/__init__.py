"""Wallets on Ethereum and on the chains that work like it."""
