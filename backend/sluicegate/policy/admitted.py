"""A call that was let in."""

from __future__ import annotations

import msgspec

from sluicegate.kit.money import Nanos
from sluicegate.policy.compile import CompiledModel
from sluicegate.policy.principals import Principal
from sluicegate.ports.policy import Lease


class Admitted(msgspec.Struct, frozen=True):
    """A call that may go: estimates are in tokens and nano-dollars."""

    principal: Principal
    model: CompiledModel
    lease: Lease
    input_estimate: int
    output_estimate: int
    cost_estimate: Nanos
