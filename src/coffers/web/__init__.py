"""Pages for people: sign-in, what one owns and what it is worth, account by account."""
