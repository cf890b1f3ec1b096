"""Every root field of the schema: what it takes, what it gives, who may use it."""

from __future__ import annotations

from edge_graphql.operations import (
    alerts,
    bulk,
    device,
    groups,
    keys,
    models,
    overview,
    people,
    policy,
    policy_file,
    provider_models,
    providers,
    scim,
    secret_rules,
    sso,
    system,
    usage,
)
from edge_graphql.operations.operation import Operation

OPERATIONS: dict[str, Operation] = {
    name: operation
    for module in (
        alerts,
        bulk,
        device,
        groups,
        keys,
        models,
        overview,
        people,
        policy,
        policy_file,
        provider_models,
        providers,
        scim,
        secret_rules,
        sso,
        system,
        usage,
    )
    for name, operation in module.OPERATIONS.items()
}
