"""Sluicegate: a self-hosted AI gateway with a console."""

__version__ = "0.1.0"
