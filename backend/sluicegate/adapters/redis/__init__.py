"""Counters, slots and budgets of several processes, in Redis."""

from sluicegate.adapters.redis.admission import RedisAdmission
from sluicegate.adapters.redis.kept import RedisKept
from sluicegate.adapters.redis.link import RedisOptions
from sluicegate.adapters.redis.live import RedisLive
from sluicegate.adapters.redis.shared import RedisShared
from sluicegate.adapters.redis.side import Side
from sluicegate.adapters.redis.tallies import RedisTallies

__all__ = ["RedisAdmission", "RedisKept", "RedisLive", "RedisOptions", "RedisShared", "RedisTallies", "Side"]
