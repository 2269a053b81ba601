"""Who may call, and how often: tokens, signatures, limits and bans."""
