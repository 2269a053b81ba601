"""A Redis or Valkey server that processes share, and knowing when it is gone."""
