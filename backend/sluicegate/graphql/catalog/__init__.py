"""Providers, what they offer, and the models that callers name."""
