"""Reads wallets of Tron from the HTTP interface of its nodes and from TronGrid's."""
