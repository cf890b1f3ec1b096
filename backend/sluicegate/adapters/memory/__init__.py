"""Counters and change feed of a single process."""

from sluicegate.adapters.memory.admission import MemoryAdmission
from sluicegate.adapters.memory.feed import LocalFeed

__all__ = ["LocalFeed", "MemoryAdmission"]
