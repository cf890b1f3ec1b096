"""Counters and change feed of a single process."""

from sluicegate.adapters.memory.admission import MemoryAdmission
from sluicegate.adapters.memory.feed import LocalFeed
from sluicegate.adapters.memory.kept import MemoryKept
from sluicegate.adapters.memory.shared import MemoryShared

__all__ = ["LocalFeed", "MemoryAdmission", "MemoryKept", "MemoryShared"]
