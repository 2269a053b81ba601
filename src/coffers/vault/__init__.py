"""Sealing of secrets: envelope encryption under a ring of master keys."""
