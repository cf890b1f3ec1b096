"""Grants, rate limits, budgets, and what they come to."""
