"""A squad's tests with nobody else's code in reach."""
