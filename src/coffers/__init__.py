"""Coffers lists every exchange account and wallet a person owns, with figures one can trust."""

__version__ = "0.1.0"
