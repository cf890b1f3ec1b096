"""What several processes on one PostgreSQL tell each other."""

from sluicegate.adapters.postgres.feed import PostgresFeed as PostgresFeed
