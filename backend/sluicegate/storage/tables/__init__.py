"""One module per aggregate. Importing this package registers every table with SQLModel's metadata."""

from sluicegate.storage.tables import (
    alerts,
    audit,
    catalog,
    credentials,
    identity,
    jobs,
    mail,
    policy,
    rollups,
    scim,
    secret_rules,
    sso,
    switches,
    usage,
    versions,
)

__all__ = [
    "alerts",
    "audit",
    "catalog",
    "credentials",
    "identity",
    "jobs",
    "mail",
    "policy",
    "rollups",
    "scim",
    "secret_rules",
    "sso",
    "switches",
    "usage",
    "versions",
]
