"""Reads wallets of Cosmos chains from the REST interface of their nodes."""
