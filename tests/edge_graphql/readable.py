"""What members may read of each type, by whatever way they come to it. All else is for administrators.

Whose things they see is decided by the rows: see `IDS_OF`.
"""

from __future__ import annotations

BY_MEMBERS: dict[str, str] = {
    "Alert": (
        "at blocks cap id period resetsAt setById setByKind setByLabel spent subjectId subjectKind subjectLabel "
        "threshold userId window"
    ),
    "AlertNotice": "alert readAt",
    "AlertNoticeConnection": "edges pageInfo totalCount",
    "AlertNoticeEdge": "cursor node",
    "ApiKey": (
        "budget budgets createdAt expiresAt id lastUsedAt lastUsedClient limits models name owner prefix "
        "previousExpiresAt previousPrefix rateLimit revokedAt status version"
    ),
    "ApiKeyConnection": "edges pageInfo totalCount",
    "ApiKeyEdge": "cursor node",
    "AutomationToken": "createdAt expiresAt id lastUsedAt name prefix scopes status",
    "AvailableModel": "capabilities contextWindow displayName free kind maxOutputTokens prices provider slug",
    "Budget": "alertThresholds daily monthly version weekly",
    "BudgetCandidate": "cap source",
    "BudgetUse": "alertThresholds cap reachedAt reserved resetsAt spent window",
    "Call": (
        "at cacheReadTokens cacheWriteTokens charges clientApp cost estimated firstByteMs id inputTokens keyName "
        "latencyMs model outcome outputTokens project providerModel providerName status stream userLabel"
    ),
    "CallConnection": "edges pageInfo",
    "CallEdge": "cursor node",
    "Charge": "price priceClass tokens",
    "Charges": "charges free longContextAbove since",
    "Deployment": "mailConfigured publicUrl timeZone version",
    "DeviceSignIn": "address createdAt expiresAt program userCode",
    "EffectiveBudget": "alertThresholds candidates cap override reachedAt reserved resetsAt source spent window",
    "EffectiveLimit": "candidates dimension limit override source used",
    "EffectiveModel": "model sources",
    "EffectivePolicy": "budgets limits models pools",
    "EffectivePool": "budgets limits source",
    "ExplainCheck": "detail name passed",
    "Explanation": "allowed checks code message retryAt status",
    "Grant": "createdAt group id model user",
    "Group": "createdAt description id name pool version",
    "Identity": "email id issuer lastUsedAt linkedAt subject",
    "LastSignIn": "at way",
    "Leaderboard": "enabled own people places",
    "LeaderboardPlace": "name own rank totals userId",
    "LimitCandidate": "source value",
    "LimitUse": "dimension limit used",
    "Model": "createdAt displayName id kind slug status version",
    "Override": ("cap createdAt createdBy dimension endedAt endedBy endsAt id limit reason running unlimited window"),
    "PageInfo": "endCursor hasNextPage",
    "PolicySource": "id kind name",
    "LongContextPrices": "above cacheRead cacheWrite1h cacheWrite5m input output",
    "Prices": "cacheRead cacheWrite1h cacheWrite5m input longContext output",
    "ProviderKindInfo": (
        "baseUrlRequired choosesResponses credentialRequired defaultBaseUrl kind label takesAccessKeys "
        "takesApiVersion takesHeaders takesOrganization takesRegion"
    ),
    "Query": (
        "alertNotices apiKeys automationTokens availableModels calls deployment deviceSignIn effectivePolicy explain "
        "leaderboard providerKinds sessions usage user viewer"
    ),
    "RateLimit": "concurrentRequests inputTokensPerMinute outputTokensPerMinute requestsPerMinute version",
    "RefusalCount": "calls reason",
    "Session": "address client createdAt current expiresAt id lastSeenAt",
    "UsagePoint": "start totals",
    "UsageReport": "breakdown previous previousSeries refusals series totals",
    "UsageSlice": "key label totals",
    "UsageTotals": "cacheReadTokens cacheWriteTokens cost errors inputTokens outputTokens requests",
    "User": (
        "apiKeys budget createdAt effectivePolicy email grants groups id identities inheritedGrants "
        "invitationExpiresAt invitationMail lastActiveAt lastSignIn name overrides rateLimit role sessions status "
        "version"
    ),
    "Viewer": "isAdmin user viaToken",
}
"""Read by everybody who is signed in, of what is theirs."""

IDS_OF: dict[str, dict[str, tuple[str, ...]]] = {
    "mia": {
        "User": ("mia",),
        "Group": ("team",),
        "ApiKey": ("mia-key", "mia-old"),
        "Session": ("mia-here", "mia-there"),
        "Identity": ("mia-identity",),
        "Model": ("fast",),
        "PolicySource": ("mia", "team"),
        "AutomationToken": ("mia-token",),
        "Call": ("call-1", "call-2"),
    },
    "noor": {
        "User": ("noor",),
        "Group": ("team",),
        "ApiKey": ("noor-key",),
        "Session": ("noor-here",),
        "Identity": ("noor-identity",),
        "Model": ("fast",),
        "PolicySource": ("noor", "team"),
        "AutomationToken": ("noor-token",),
        "Call": ("call-3",),
        "Override": ("override",),
    },
}
"""All things of each kind that somebody can come upon."""
