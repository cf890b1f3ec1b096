"""Builds the adapters and services of one process from its settings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

import structlog

from sluicegate import __version__
from sluicegate.adapters.demo import DemoUpstream
from sluicegate.adapters.journal import Journal
from sluicegate.adapters.memory import LocalFeed, MemoryAdmission, MemoryShared
from sluicegate.adapters.metrics import BackendSample, CallMetrics, Now, RedisSample, SpanSample
from sluicegate.adapters.remote import RemoteRefusal as RemoteRefusal
from sluicegate.adapters.remote import RemoteServer as RemoteServer
from sluicegate.adapters.upstream import Http11Upstream
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.apikey import TokenScope
from sluicegate.gateway.app import GatewayApp
from sluicegate.gateway.pipeline import GatewayOptions
from sluicegate.gateway.selftest import Rehearsal
from sluicegate.jobs.scheduler import Scheduler
from sluicegate.jobs.tasks import DELIVER_MAIL, DELIVER_WEBHOOKS, alert_jobs, housekeeping_jobs, mail_jobs, rollup_jobs
from sluicegate.kit.clock import Clock, SystemClock
from sluicegate.kit.crypto import SealBroken
from sluicegate.kit.first_use import OnFirstUse
from sluicegate.policy.service import PolicyService
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.mail import Mailer
from sluicegate.ports.policy import AdmissionStore, ChangeFeed, Records
from sluicegate.ports.shared import Shared
from sluicegate.ports.sso import OpenIdProvider
from sluicegate.ports.upstream import Timeouts, Upstream
from sluicegate.premises import check_database, counts_with_others, encryption_keys, open_vault
from sluicegate.services.alert_watch import AlertWatch
from sluicegate.services.alerts import AlertService
from sluicegate.services.auth import AuthService
from sluicegate.services.caller import Caller
from sluicegate.services.health import HealthService
from sluicegate.services.housekeeping import Housekeeping
from sluicegate.services.live import LiveService
from sluicegate.services.mail import MailService
from sluicegate.services.passwords import Passwords
from sluicegate.services.recovery import RecoveryService
from sluicegate.services.refusal_log import RefusalLog
from sluicegate.services.refusal_tally import RefusalTally
from sluicegate.services.rollups import Retention, RollupService
from sluicegate.services.secret_findings import FindingLog
from sluicegate.services.webhooks import WebhookService
from sluicegate.settings import PREFIX, ConfigurationError, Settings, parse_sender
from sluicegate.storage.engine import SqlStore, database_url, make_engine
from sluicegate.storage.policy_source import SqlPolicySource
from sluicegate.storage.rollups import SqlRollups
from sluicegate.storage.transaction import CHANGES_CHANNEL, load_all
from sluicegate.storage.usage_writer import make_usage_writer

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from sluicegate.adapters.pooled_metrics import PooledMetrics
    from sluicegate.adapters.postgres import PostgresFeed
    from sluicegate.adapters.redis import RedisAdmission
    from sluicegate.adapters.tracing import FollowedCalls
    from sluicegate.services.bundle import Services
    from sluicegate.services.rotation import KeyRotation
    from sluicegate.storage.crowd_source import SqlCrowdSource
    from sluicegate.storage.usage_reader import SqlUsageReader

JOURNAL_FOLDER = "journal"
_READY_SECONDS = 2.0

log = structlog.get_logger()


class Container:
    """Everything that lives as long as the process. `start` before the first request, `stop` after the last."""

    def __init__(
        self,
        settings: Settings,
        public_url: str,
        *,
        clock: Clock | None = None,
        demo_tokens_per_second: float = 80.0,
    ) -> None:
        self.settings = settings
        self.public_url = public_url
        self.clock = clock or SystemClock()
        # Whether it is about to stop, and wants no further callers.
        self.leaving = False
        self.traces = _traces(settings, self.clock)
        self.periods = PeriodClock(settings.zone)
        url = database_url(settings.database)
        self.engine = make_engine(url)
        self.usage_writer = make_usage_writer(url, settings.zone)
        self.news = _news(settings, lambda: self.redis and self.redis.epoch)
        self.feed: ChangeFeed = self.news or LocalFeed()
        self.store = SqlStore(self.engine, self.feed, self.clock)
        self.vault = open_vault(settings)
        folder, most = settings.data_dir / JOURNAL_FOLDER, settings.max_unsaved_calls
        self.metrics = CallMetrics()
        self._exposition = OnFirstUse(_exposition)
        self.pooled = _pooled(settings, self._families)
        self.journal = Journal(
            folder, self.usage_writer, self.clock, self.periods, max_calls=most, settled=self.metrics.settled
        )
        self.redis, self.shared = _sharing(settings, self.vault, self.journal, self.clock, self.periods)
        self.admission: AdmissionStore[Any] = self.redis or MemoryAdmission(self.journal, self.clock, self.periods)
        self.source = SqlPolicySource(self.engine)
        self.rehearsal = Rehearsal(self.source, self.clock)
        self.policy = PolicyService(
            self.rehearsal, self.vault, self.admission, self.clock, self.periods, self.news, self.shared.tallies("keys")
        )
        self.feed.subscribe(self.policy.apply)
        self.upstream = _network(settings)
        # Its own: what may be reached by webhooks is another question than where providers may live.
        self.webhook_client = Http11Upstream(
            allow_private=settings.allow_private_webhooks, private_setting=f"{PREFIX}ALLOW_PRIVATE_WEBHOOKS"
        )
        self.issuer_client = Http11Upstream(
            allow_private=settings.allow_private_issuers,
            ca_file=settings.issuer_ca_file,
            private_setting=f"{PREFIX}ALLOW_PRIVATE_ISSUERS",
        )
        self.openid = OnFirstUse(self._openid)
        self.demo = DemoUpstream(tokens_per_second=demo_tokens_per_second)
        timeouts = Timeouts(settings.connect_timeout, settings.first_byte_timeout, settings.idle_timeout)
        self.refusals = RefusalLog(self.store, self.clock)
        self.findings = FindingLog(self.store)
        self.refused_calls = RefusalTally(self.store, self.clock, self.periods)
        options = GatewayOptions(
            settings.max_body_bytes,
            timeouts,
            settings.upstream_retry_seconds,
            settings.budget_status,
            heartbeat_seconds=settings.heartbeat_seconds,
            refused=self.refusals.note,
            found=self.findings.note,
            counted=self._count_refusal,
            traces=self.traces,
        )
        sink = self.journal if self.traces is None else self.traces.over(self.journal)
        self.gateway = GatewayApp(self.policy, sink, self.upstream, self.demo, self.clock, self.shared.kept, options)
        passwords = Passwords()
        self.auth = AuthService(self.store, self.clock, passwords, self.shared.tallies)
        self.mail = MailService(
            self.store,
            self.vault,
            self.clock,
            _mailer(settings, self.clock),
            lambda: self.scheduler.wake(DELIVER_MAIL),
            site=self.url,
            zone=settings.zone,
        )
        self.recovery = RecoveryService(self.store, self.clock, self.url, self.mail, passwords, self.shared.tallies)
        self.alerts = AlertService(self.store, self.clock)
        self.webhooks = WebhookService(
            self.store,
            self.vault,
            self.clock,
            self.webhook_client,
            lambda: self.scheduler.wake(DELIVER_WEBHOOKS),
            allow_private=settings.allow_private_webhooks,
        )
        self.health = HealthService(self.policy, self.gateway.health)
        self.live = LiveService(
            self.auth, self.gateway.board, self.policy, self.admission, self.clock, self.shared.live
        )
        sums = SqlRollups(self.engine, settings.zone)
        self.retention = _retention(settings)
        self.rollups = RollupService(sums, self.clock, settings.zone, self.retention)
        housekeeping = Housekeeping(self.store, self.clock)
        watch = AlertWatch(self.store, self.clock, settings.zone, self.mail, self.webhooks)
        jobs = [
            *housekeeping_jobs(housekeeping),
            *mail_jobs(self.mail),
            *rollup_jobs(self.rollups),
            *alert_jobs(watch, self.alerts, self.webhooks),
        ]
        self.scheduler = Scheduler(self.store, self.clock, jobs)

    @cached_property
    def services(self) -> Services:
        """All use cases. What carries calls and jobs needs few of them: the rest is loaded when they are asked for."""
        from sluicegate.use_cases import use_cases

        load_all()
        return use_cases(self)

    @cached_property
    def usage_reader(self) -> SqlUsageReader:
        from sluicegate.storage.usage_reader import SqlUsageReader

        return SqlUsageReader(self.engine, self.settings.zone)

    @cached_property
    def crowd(self) -> SqlCrowdSource:
        from sluicegate.storage.crowd_source import SqlCrowdSource

        return SqlCrowdSource(self.engine)

    @cached_property
    def rotation(self) -> KeyRotation:
        from sluicegate.services.rotation import KeyRotation

        return KeyRotation(self.store, self.vault, encryption_keys(self.settings)[0].id)

    def _openid(self) -> OpenIdProvider:
        from sluicegate.adapters.oidc import OidcProvider

        return OidcProvider(self.issuer_client, self.clock)

    def url(self) -> str:
        """Where people and assistants reach this server."""
        return self.public_url

    def _count_refusal(self, reason: str, user_id: str | None, group_ids: Collection[str]) -> None:
        self.metrics.refused(reason)
        self.refused_calls.note(reason, user_id, group_ids)

    async def ready(self) -> dict[str, bool]:
        """Whether each part that a call needs is there, for /readyz."""
        checks = {
            "database": await self._database_answers(),
            "journal": self.journal.accepts,
            "staying": not self.leaving,
        }
        if self.redis is not None:
            # Without Redis calls are served from shares of the limits, or none is.
            checks["limits" if self.settings.redis_fail_closed else "redis"] = self.redis.shared
        return checks

    async def samples(self, caller: Caller) -> bytes:
        """What Prometheus may scrape, for administrators and their tokens; raises Forbidden."""
        caller.require_admin(TokenScope.READ)
        families = await (self.pooled.families() if self.pooled is not None else self._families())
        shown = await self._exposition()
        return await asyncio.to_thread(shown.exposition, families)

    async def _families(self) -> list[Metric]:
        backends = await self.health.all_backends()
        now = Now(
            __version__,
            self.gateway.calls_in_flight,
            self.journal.backlog,
            self.journal.accepts,
            await self._database_answers(),
            [BackendSample(backend.provider_name, backend.provider_model, backend.health) for backend in backends],
            redis=RedisSample(self.redis.shared, self.redis.waiting, self.redis.outages) if self.redis else None,
            spans=SpanSample(self.traces.sent, self.traces.dropped) if self.traces else None,
        )
        shown = await self._exposition()
        return await asyncio.to_thread(shown.families, self.metrics, now)

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(_READY_SECONDS), self.store.read() as tx:
                await tx.users.get("")
        except Exception as error:
            log.warning("database.unreachable", error=type(error).__name__)
            return False
        return True

    async def closed_credentials(self) -> list[str]:
        """Names of the providers whose stored credential the configured keys do not open."""
        rows, closed = await self.source.catalog(self.clock.now()), list[str]()
        for provider_id, sealed in rows.credentials.items():
            try:
                self.vault.unseal(sealed, f"provider:{provider_id}")
            except SealBroken:
                closed.append(rows.providers[provider_id].name)
        return sorted(closed)

    async def start(self) -> None:
        """Raises SchemaError when the database does not fit this release, CountersUnavailable when the Redis of the
        settings is not there, CountedApart when it is not that of others, SelfTestFailed when limits do not hold."""
        await asyncio.to_thread(check_database, self.settings)
        await self.rollups.ensure()
        await self.journal.start()
        if self.redis is not None:
            await self.redis.start(self.journal.recovered)
        self.journal.told()
        if self.news is not None:
            await self.news.start()
        await self.rehearsal.run(self.gateway, self.policy)
        # What the rehearsal refused was nobody's call.
        self.metrics.forget()
        self.refused_calls.forget()
        if self.traces is not None:
            self.traces.forget()
            await self.traces.start()
        await self.policy.start()
        for name in await self.closed_credentials():
            log.error("provider.credential_unreadable", provider=name, advice="restore the KEK, or enter it again")
        if self.pooled is not None:
            await self.pooled.start()
        self.live.start()
        await self.scheduler.start()

    async def stop(self) -> None:
        """Writes down what is left and lets go of everything."""
        await self.recovery.settle()
        await self.refusals.settle()
        await self.findings.settle()
        await self.scheduler.stop()
        self.gateway.break_off()
        if self.news is not None:
            await self.news.stop()
        await self.refused_calls.settle()
        if self.redis is not None:
            self.journal.note_untold(await self.redis.close())
        await self.live.stop()
        await self.shared.close()
        await self.journal.close()
        if self.traces is not None:
            await self.traces.close()
        if self.pooled is not None:
            await self.pooled.stop()
        self.usage_writer.close()
        self.policy.close()
        await self.upstream.aclose()
        await self.webhook_client.aclose()
        await self.issuer_client.aclose()
        await self.demo.aclose()
        await self.engine.dispose()


def _retention(settings: Settings) -> Retention:
    return Retention(
        calls=settings.keep_calls_days,
        five_minutes=settings.keep_five_minutes_days,
        hours=settings.keep_hours_days,
        days=settings.keep_days_days,
        sessions=settings.keep_sessions_days,
    )


def _news(settings: Settings, epoch: Callable[[], str | None]) -> PostgresFeed | None:
    """What other processes on the same database change."""
    if not counts_with_others(settings):
        return None
    # Here and below: what a server is not set to use, it does not load.
    from sluicegate.adapters.postgres import PostgresFeed
    from sluicegate.storage.conninfo import conninfo

    return PostgresFeed(conninfo(database_url(settings.database)), CHANGES_CHANNEL, epoch)


def _sharing(
    settings: Settings, vault: EnvelopeVault, records: Records, clock: Clock, periods: PeriodClock
) -> tuple[RedisAdmission | None, Shared]:
    """Limits as Redis counts them, if it does, and what else goes through it."""
    url, prefix = settings.redis_url, settings.redis_prefix
    if url is None:
        return None, MemoryShared(clock)
    from sluicegate.adapters.redis import RedisAdmission, RedisShared

    admission = RedisAdmission(url, prefix, records, clock, periods, fail_closed=settings.redis_fail_closed)
    return admission, RedisShared(url, prefix, vault.derived, clock)


def _traces(settings: Settings, clock: Clock) -> FollowedCalls | None:
    if not settings.traces:
        return None
    # They need not even be installed.
    try:
        from sluicegate.adapters.tracing import FollowedCalls, Spans
    except ImportError:
        raise ConfigurationError([f"{PREFIX}TRACES: needs more packages: pip install 'sluicegate[otel]'"]) from None
    return FollowedCalls(clock, Spans(__version__))


def _exposition() -> ModuleType:
    from sluicegate.adapters import exposition

    return exposition


def _pooled(settings: Settings, own: Callable[[], Awaitable[list[Metric]]]) -> PooledMetrics | None:
    """All workers of a parent answer at one address, so that a scrape reaches any of them."""
    if settings.workers == 1:
        return None
    from sluicegate.adapters.pooled_metrics import PooledMetrics, below_parent

    return PooledMetrics(below_parent(settings.data_dir / "metrics"), own)


def _mailer(settings: Settings, clock: Clock) -> Mailer | None:
    address = settings.smtp_address
    if address is None or settings.smtp_from is None:
        return None
    from sluicegate.adapters.mail import SmtpMailer, SmtpServer

    server = SmtpServer(
        *address,
        parse_sender(settings.smtp_from),
        settings.smtp_tls,
        settings.smtp_user,
        settings.smtp_password,
        settings.smtp_ca_file,
    )
    return SmtpMailer(server, clock)


def _network(settings: Settings) -> Upstream:
    if settings.upstream_client == "native":
        return Http11Upstream(allow_private=settings.allow_private_upstreams, ca_file=settings.upstream_ca_file)
    from sluicegate.adapters.upstream.httpx_client import HttpxUpstream

    return HttpxUpstream(allow_private=settings.allow_private_upstreams, ca_file=settings.upstream_ca_file)
