"""Domain enums of policy under their names in the schema: imported once, they may be used in any annotation."""

from __future__ import annotations

import strawberry

from sluicegate.domain.policy import Dimension, SubjectKind, Window

strawberry.enum(
    Dimension,
    name="LimitDimension",
    description="What a rate limit counts: the first three over any 60 seconds, the last at one moment.",
)
strawberry.enum(Window, name="BudgetWindow", description="A calendar span in the deployment's time zone.")
strawberry.enum(SubjectKind, name="SourceKind", description="What a value may be set for.")
