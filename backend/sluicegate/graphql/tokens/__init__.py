"""Automation tokens."""
