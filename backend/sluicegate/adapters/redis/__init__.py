"""Counters, slots and budgets of several processes, in Redis."""

from sluicegate.adapters.redis.admission import RedisAdmission
from sluicegate.adapters.redis.link import RedisOptions

__all__ = ["RedisAdmission", "RedisOptions"]
