"""When and how accounts are read, and what a reading or a failure means for the account."""
