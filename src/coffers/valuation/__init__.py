"""The arithmetic behind every money field: pure, exact, without a clock and without I/O."""
