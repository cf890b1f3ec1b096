"""All limits and caps in one list."""
