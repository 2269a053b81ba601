"""Reads wallets of TON from services that speak the third version of TON Center."""
