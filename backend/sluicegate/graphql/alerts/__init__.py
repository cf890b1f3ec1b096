"""Alerts of budgets, and the webhooks that they are posted to."""
