"""Reads wallets of the XRP Ledger from the JSON-RPC of its servers."""
