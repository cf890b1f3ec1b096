"""How this installation is set up, for those who run it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.sso import SECRET_PLACE
from sluicegate.ports.policy import Vault
from sluicegate.ports.store import Store
from sluicegate.services.caller import Caller


@dataclass(frozen=True, slots=True)
class Setting:
    """`value` is None where nothing is set, and always for a secret; `given` tells whether somebody set it."""

    name: str
    description: str
    value: str | None
    given: bool
    secret: bool


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """`made_at` is known of a key that was generated here, not of one that was given."""

    id: str
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Encryption:
    """`sealed` counts the credentials of providers and the secrets of webhooks by the id of the key that they are
    sealed under; None: by none."""

    primary: EncryptionKey
    secondary: EncryptionKey | None
    sealed: Counter[str | None]


class InstallationService:
    """For administrators."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        database: str,
        settings: Sequence[Setting],
        keys: tuple[EncryptionKey, EncryptionKey | None],
    ) -> None:
        self._store = store
        self._vault = vault
        self._database = database
        self._settings = settings
        self._keys = keys

    def database(self, caller: Caller) -> str:
        """The kind of database, such as SQLite."""
        caller.require_admin(TokenScope.READ)
        return self._database

    def settings(self, caller: Caller) -> Sequence[Setting]:
        """Every setting, secrets without their values."""
        caller.require_admin(TokenScope.READ)
        return self._settings

    async def encryption(self, caller: Caller) -> Encryption:
        """Which keys there are, and what each of them opens."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            credentials, secrets = await tx.catalog.sealed_credentials(), await tx.webhooks.sealed_secrets()
            client_secret = await tx.sso.sealed_secret()
        places = {f"provider:{provider_id}": text for provider_id, text in credentials.items()}
        places |= {f"webhook:{webhook_id}": text for webhook_id, text in secrets.items()}
        places |= {SECRET_PLACE: client_secret} if client_secret is not None else {}
        sealed = Counter(self._vault.key_of(text, place) for place, text in places.items())
        return Encryption(*self._keys, sealed)
