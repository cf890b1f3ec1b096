"""The journal: the truth about calls between the caller's answer and the database."""

from sluicegate.adapters.journal.journal import Journal, JournalFull

__all__ = ["Journal", "JournalFull"]
