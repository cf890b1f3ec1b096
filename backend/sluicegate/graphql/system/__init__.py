"""The server itself: its recurring work, its mail, its settings."""
