"""Assistants that sign in by way of a browser."""
