"""What assets are worth: prices from venues' tickers, joined into a price book."""
