"""The wire contract: routes, the account entity, errors. HTTP lives here and nowhere below."""
