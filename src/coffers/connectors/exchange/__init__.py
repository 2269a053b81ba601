"""Exchange accounts and quotes through ccxt; only worker and command line processes import it."""
