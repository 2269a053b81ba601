"""Reads wallets of Solana from the JSON-RPC of its nodes."""
