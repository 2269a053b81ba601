"""What tells prices where no venue does: each source with its own limits and its own timeout."""
