"""What the policy service needs from outside: rows to compile, counters to decide with, news of changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from sluicegate.domain.apikey import ApiKey
from sluicegate.domain.catalog import Model, Provider, ProviderModel
from sluicegate.domain.policy import (
    NO_BUDGET,
    NO_LIMITS,
    Budget,
    Dimension,
    Grant,
    Override,
    PolicyChange,
    RateLimits,
    Subject,
    Window,
)
from sluicegate.domain.secret_rule import SecretRule
from sluicegate.domain.user import Group, User
from sluicegate.kit.money import Nanos
from sluicegate.kit.secret import Secret


@dataclass(frozen=True, slots=True)
class UserRows:
    """Everything that decides what one user may do, read in one transaction. Limits and budgets are those of the user,
    of the groups, and of the groups' pools; overrides may have run out."""

    user: User
    groups: Sequence[Group]
    grants: Sequence[Grant]
    limits: dict[Subject, RateLimits]
    budgets: dict[Subject, Budget]
    overrides: Sequence[Override] = ()


@dataclass(frozen=True, slots=True)
class KeyRows:
    """A key with what it may use less than its owner."""

    key: ApiKey
    limits: RateLimits = NO_LIMITS
    budget: Budget = NO_BUDGET


@dataclass(frozen=True, slots=True)
class CatalogRows:
    """All models, with what stands behind them. `credentials` and `headers` hold sealed texts by provider id."""

    models: Sequence[Model]
    provider_models: dict[str, ProviderModel]
    providers: dict[str, Provider]
    credentials: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict[str, str])


class PolicySource(Protocol):
    async def users(self, ids: Sequence[str]) -> dict[str, UserRows]:
        """By id; without those who are not there."""
        ...

    async def key(self, public_id: str) -> KeyRows | None:
        """By the public id of its secret, or of the one before the last rotation."""
        ...

    async def key_by_id(self, key_id: str) -> KeyRows | None: ...
    async def catalog(self, at: datetime) -> CatalogRows:
        """With the prices in force then, and those that come."""
        ...

    async def secret_rules(self) -> list[SecretRule]:
        """Those that are on."""
        ...


@dataclass(frozen=True, slots=True)
class Person:
    """One user among many, with what is set for the user alone and what was spent by period."""

    id: str
    name: str
    email: str
    limits: RateLimits
    budget: Budget
    group_ids: tuple[str, ...]
    overrides: tuple[Override, ...]
    spent: dict[Window, int]


@dataclass(frozen=True, slots=True)
class Crowd:
    """People, and what is set for the groups that they are in."""

    people: Sequence[Person]
    limits: dict[Subject, RateLimits]
    budgets: dict[Subject, Budget]


class CrowdSource(Protocol):
    """Reads what limits many people, for looking at; each answer comes from one transaction."""

    async def crowd(self, subject: Subject, periods: dict[Window, str]) -> Crowd:
        """The members of a group, or one user alone; nobody when there is no such subject."""
        ...


class Vault(Protocol):
    """Envelope encryption of credentials. `context` names the place they belong to and is bound to them."""

    def seal(self, secret: Secret, context: str) -> str: ...
    def unseal(self, sealed: str, context: str) -> Secret:
        """Raises kit.crypto.SealBroken."""
        ...

    def key_of(self, sealed: str, context: str) -> str | None:
        """The id of the key that it is sealed under; None when no key at hand opens it."""
        ...

    def rewrap(self, sealed: str, context: str) -> str:
        """The same secret, still closed, under the key that seals new ones; raises kit.crypto.SealBroken."""
        ...


# More than all money and tokens there are.
_NO_BOUND = 1 << 100

ChangeListener = Callable[[Sequence[PolicyChange]], Awaitable[None]]


class ChangeFeed(Protocol):
    """Carries policy changes to every process."""

    def subscribe(self, listener: ChangeListener) -> None: ...
    async def publish(self, changes: Sequence[PolicyChange]) -> None:
        """Returns when every live process has put the changes into force."""
        ...


class Freshness(Protocol):
    """Tells a process whether it has heard of all changes, where others make some, too."""

    def current(self) -> bool:
        """Whether what it has heard of is all that anybody was answered for."""
        ...

    async def refresh(self) -> None:
        """Hears of the rest."""
        ...


@dataclass(frozen=True, slots=True)
class LimitSet:
    """The values that one call must respect for one subject; None = no limit. Tokens and requests per 60 seconds,
    caps in nano-dollars per calendar window. `bounds` are all of them in the order of the fields, with a number above
    all others where there is no limit."""

    subject: Subject
    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    concurrent_requests: int | None = None
    day: int | None = None
    week: int | None = None
    month: int | None = None
    bounds: tuple[int, int, int, int, int, int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rates = self.requests, self.input_tokens, self.output_tokens, self.concurrent_requests
        bounds = tuple(_NO_BOUND if limit is None else limit for limit in (*rates, self.day, self.week, self.month))
        object.__setattr__(self, "bounds", bounds)


class Ask(msgspec.Struct, frozen=True):
    """One call that wants in: the subjects it counts against, and what it will probably use. `counted` are subjects
    that set nothing now but would count this call, too, if they did while it runs."""

    limits: tuple[LimitSet, ...]
    input_tokens: int
    output_tokens: int
    cost: Nanos
    counted: tuple[Subject, ...] = ()


@dataclass(frozen=True, slots=True)
class Denial:
    """Why not: exactly one of `dimension` and `window` is set. `used` includes `reserved`; `asked` is what the call
    wanted on top. `retry_after` is in seconds, None when time does not help."""

    subject: Subject
    dimension: Dimension | None
    window: Window | None
    limit: int
    used: int
    reserved: int
    asked: int
    retry_after: float | None

    @property
    def over(self) -> Window:
        """The window of a denial by a budget."""
        if self.window is None:
            raise ValueError("a denial names a dimension or a window")
        return self.window

    @property
    def held(self) -> bool:
        """Whether only money that calls in flight hold stands in the way: what is spent would leave room."""
        return self.window is not None and self.reserved > 0 and self.used - self.reserved + self.asked <= self.limit


class CountedApart(Exception):
    """Others who use the same database count limits and budgets somewhere else."""

    def __init__(self) -> None:
        super().__init__(
            "Servers that use this database count limits and budgets in another Redis, or under another prefix, so "
            "that together they would admit too much. Give all of them the same SLUICEGATE_REDIS_URL and "
            "SLUICEGATE_REDIS_PREFIX. To move to another Redis stop the others first."
        )


class CountersUnavailable(Exception):
    """What is used is not known at the moment, so no call can be let in or refused."""


class Lease(Protocol):
    """What an admitted call holds; `open` until it is settled. What it costs counts in the periods of `at`, in seconds
    since the epoch."""

    open: bool
    at: float


L = TypeVar("L", bound=Lease)


class RateRoom(msgspec.Struct, frozen=True):
    """What is left of a rate limit, never below 0; after `resets_in` seconds without calls it is free again."""

    limit: int
    remaining: int
    resets_in: float


class CapRoom(msgspec.Struct, frozen=True):
    """A cap and what is spent of it, in nano-dollars."""

    window: Window
    cap: int
    spent: int
    resets_at: datetime


def tighter_cap(known: CapRoom | None, other: CapRoom) -> CapRoom:
    """The one of which the greater part is spent; of two that are reached, the one that lasts longer."""
    if known is None:
        return other
    reached = known.spent >= known.cap, other.spent >= other.cap
    if reached[0] != reached[1]:
        return known if reached[0] else other
    if reached[0]:
        return other if other.resets_at > known.resets_at else known
    return other if other.spent * known.cap > known.spent * other.cap else known


class Room(msgspec.Struct, frozen=True):
    """What is left of the tightest limit of each kind; None where there is none."""

    requests: RateRoom | None
    input_tokens: RateRoom | None
    output_tokens: RateRoom | None
    cap: CapRoom | None


@dataclass(frozen=True, slots=True)
class SubjectUse:
    """Current use of one subject: the four dimensions now, and per window what is spent and what is reserved.
    `resets_in` is in seconds."""

    used: dict[Dimension, int] = field(default_factory=dict[Dimension, int])
    resets_in: dict[Dimension, float] = field(default_factory=dict[Dimension, float])
    spent: dict[Window, Nanos] = field(default_factory=dict[Window, Nanos])
    reserved: dict[Window, Nanos] = field(default_factory=dict[Window, Nanos])


class Counts(NamedTuple):
    """What the rate limits count."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class ActiveUse(msgspec.Struct, frozen=True):
    """What a subject used in the last 60 seconds and in the last whole one, with what calls in flight have reserved."""

    subject: Subject
    minute: Counts
    second: Counts
    concurrent_requests: int

    def used(self, dimension: Dimension) -> int:
        if dimension is Dimension.CONCURRENT_REQUESTS:
            return self.concurrent_requests
        return getattr(self.minute, dimension.value)


class AdmissionStore(Protocol[L]):
    """Counters, slots and budgets. `admit` evaluates everything and takes all or nothing, as one atomic step. What is
    awaited may raise CountersUnavailable."""

    async def admit(self, ask: Ask) -> L | Denial: ...
    def admit_now(self, ask: Ask) -> L | Denial | None:
        """As `admit`, where that needs nothing but what is known here; None where it must be awaited."""
        ...

    async def peek(self, ask: Ask) -> Denial | None:
        """What `admit` would say, without taking anything."""
        ...

    def settle(self, lease: L, input_tokens: int, output_tokens: int, cost: Nanos, call_id: str = "") -> None:
        """Replaces the reservation by the truth and frees the slot. The first call wins; later ones do nothing.
        `call_id` is what the records know the call by."""
        ...

    def cancel(self, lease: L) -> None:
        """Gives everything back, the request count too, as if the call had never come."""
        ...

    def renew(self, lease: L) -> None:
        """Tells that the call still lives; a lease that is not renewed for 15 minutes is taken as dead."""
        ...

    async def use_of(self, subject: Subject) -> SubjectUse: ...
    def active(self) -> AsyncIterator[ActiveUse]:
        """Every subject that had a call in the last minute or has one in flight; others get their turn in between."""
        ...

    def room_of(self, limits: Sequence[LimitSet], *, caps: bool = True) -> Room:
        """What is left for a call with these limits, as far as this process knows without asking anybody; without
        `caps`, only of rates."""
        ...

    def forget(self, subject: Subject | None = None) -> None:
        """What a pool or key sets has changed, or what all of them set: calls that were let in meanwhile may not have
        counted for it, so its use is read back from the records when it is needed next."""
        ...


@dataclass(frozen=True, slots=True)
class PastUse:
    """What the records say about a subject. `spent` is keyed by window; `recent` holds (epoch seconds, limited input
    tokens, output tokens) of calls that began in the last 60 seconds; `counted` are those of the calls that were asked
    for that are in `spent`. What was there at `asked`, in seconds of the monotonic clock, is in all of it."""

    spent: dict[Window, int]
    recent: Sequence[tuple[float, int, int]] = ()
    counted: Collection[str] = ()
    asked: float | None = None


class SpendSource(Protocol):
    async def load(
        self,
        subject: Subject,
        periods: dict[Window, str],
        install: Callable[[PastUse], None],
    ) -> None:
        """Calls `install`, synchronously, at an instant at which the figures are exact: every call that was settled
        before it is in them and none that is settled after it. `periods` are keys as `policy.windows` gives them."""
        ...


class Records(SpendSource, Protocol):
    """A spend source that tells how far the calls of this process are in it, and whether those of others are."""

    async def load(
        self,
        subject: Subject,
        periods: dict[Window, str],
        install: Callable[[PastUse], None],
        calls: Sequence[str] = (),
    ) -> None:
        """`calls` are ids of calls of other processes, of which `PastUse.counted` tells whether they are in the
        figures."""
        ...

    @property
    def settled(self) -> int:
        """How many calls this process has settled."""
        ...

    @property
    def saved(self) -> int:
        """How many of them, the first ones, everybody can read."""
        ...

    def listen(self, saved: Callable[[], None]) -> None:
        """`saved` is called whenever more of them can be read, at once."""
        ...

    async def flush(self) -> None:
        """Makes all that are settled readable for everybody; raises what the database raises."""
        ...
