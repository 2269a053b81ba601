"""The ground's knowledge of venues: the market catalogue, and what a venue quotes."""
