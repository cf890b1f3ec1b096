"""What the gateway would answer, step by step, found out by the code that admits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sluicegate.policy import refusals
from sluicegate.policy.compile import Catalog, CompiledModel
from sluicegate.policy.principals import Principal, Standing
from sluicegate.policy.refusals import Refusal

_STEP_OF = {
    "key_revoked": "key",
    "key_expired": "key",
    "user_suspended": "account",
    "model_not_found": "model",
    "model_not_granted": "grant",
    "rate_limit_exceeded": "rate_limits",
    "budget_exceeded": "budgets",
    "upstream_unavailable": "backend",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One step of an explanation."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the gateway would answer now. `retry_at` is set when waiting alone cures a refusal."""

    allowed: bool
    status: int
    code: str | None
    message: str
    retry_at: datetime | None
    checks: tuple[Check, ...]


Attempt = Callable[[Standing, CompiledModel], Awaitable[Refusal | None]]


async def explain(standing: Standing, slug: str, catalog: Catalog, now: float, attempt: Attempt) -> Explanation:
    """`attempt` tells why the limits would refuse a small call, without taking anything."""
    checks: list[Check] = []
    try:
        await _steps(standing, slug, catalog, now, attempt, checks)
    except Refusal as refusal:
        checks.append(Check(_step_of(refusal), False, refusal.message))
        free_at = refusal.facts.free_at if refusal.facts else None
        return Explanation(False, refusal.status, refusal.code, refusal.message, free_at, tuple(checks))
    return Explanation(True, 200, None, f"Yes: '{slug}' may be called now.", None, tuple(checks))


async def _steps(
    standing: Standing, slug: str, catalog: Catalog, now: float, attempt: Attempt, checks: list[Check]
) -> None:
    standing.check(now)
    if isinstance(standing, Principal):
        checks.append(Check("key", True, f"The key {standing.key.name} is active."))
    checks.append(Check("account", True, "The account is active."))
    if catalog.find(slug) is None:
        raise refusals.model_not_found(slug)
    checks.append(Check("model", True, f"'{slug}' is active."))
    model = standing.access(slug, catalog)
    names = ", ".join(f"{s.subject.kind} {s.name}" for s in standing.effective.grants[model.id])
    checks.append(Check("grant", True, f"Granted through {names}."))
    refusal = await attempt(standing, model)
    if refusal is None or _step_of(refusal) == "budgets":
        checks.append(Check("rate_limits", True, "Within all rate limits."))
    if refusal is not None:
        raise refusal
    checks.append(Check("budgets", True, "Within all budgets."))
    if not model.routes:
        raise refusals.upstream_unavailable(f"No enabled backend with a known price serves '{slug}'.", 503)
    checks.append(Check("backend", True, f"{len(model.routes)} backend(s) can serve it."))


def _step_of(refusal: Refusal) -> str:
    if refusal.facts is not None and refusal.facts.window is not None:
        return "budgets"
    return _STEP_OF[refusal.code]
