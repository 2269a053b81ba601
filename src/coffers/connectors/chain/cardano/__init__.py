"""Reads wallets of Cardano from services that speak Koios."""
