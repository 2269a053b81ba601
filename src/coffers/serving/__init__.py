"""What the API and the pages have in common of answering: codings, and answers that last."""
