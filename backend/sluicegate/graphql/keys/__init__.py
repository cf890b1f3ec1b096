"""Gateway keys."""
