"""What is sent to addresses that users name, and where it may go."""
