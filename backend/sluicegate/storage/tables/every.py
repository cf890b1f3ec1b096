"""The metadata with every table in it, whatever else has been imported."""

from sluicegate.storage.tables import (
    alerts,
    audit,
    catalog,
    credentials,
    device,
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
from sluicegate.storage.tables.types import METADATA

__all__ = [
    "METADATA",
    "alerts",
    "audit",
    "catalog",
    "credentials",
    "device",
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
