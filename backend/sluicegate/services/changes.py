"""What several use cases tell every process."""

from __future__ import annotations

from sluicegate.domain.policy import ChangeKind, PolicyChange

CATALOG_CHANGED = PolicyChange(ChangeKind.CATALOG)
