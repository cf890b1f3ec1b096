"""The journal: the truth about calls between the caller's answer and the database."""

from sluicegate.adapters.journal.journal import Journal

__all__ = ["Journal"]
