"""Reads wallets from the nodes of their chains. No private key is needed, and none is accepted."""
