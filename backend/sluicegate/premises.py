"""Where a server lives: its data folder, its encryption keys and its database, for whoever starts one and for commands
that need no more than these."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from sluicegate import __version__
from sluicegate.adapters.price_catalog import CatalogFile
from sluicegate.adapters.price_catalog import fetched as fetched
from sluicegate.adapters.vault import EnvelopeVault, kept_key, key_id
from sluicegate.kit.clock import SystemClock
from sluicegate.kit.crypto import key_from_text
from sluicegate.kit.secret import Secret
from sluicegate.services.installation import EncryptionKey
from sluicegate.settings import PREFIX, ConfigurationError, Settings
from sluicegate.storage import migrate
from sluicegate.storage.migrate import SchemaError as SchemaError
from sluicegate.storage.sole import AlreadyServed as AlreadyServed
from sluicegate.storage.sole import one_of_several
from sluicegate.storage.sole import sole_server as sole_server

if TYPE_CHECKING:
    from sluicegate.storage.backup import Head, Summary

KEK_FILE = "kek"
_NO_KEY = (
    "What this backup holds sealed (provider credentials, webhook secrets, letters) opens with key {key}, which is not "
    "configured here. Put the file kek of the old data folder into {folder} or set SLUICEGATE_KEK_PRIMARY, and try "
    "again; or pass --without-key, and enter those secrets anew."
)


def counts_with_others(settings: Settings) -> bool:
    """Whether further servers may use the same database: they count in Redis, and PostgreSQL tells them of changes."""
    return settings.redis_url is not None and settings.database.startswith("postgresql")


def held_database(settings: Settings) -> AbstractContextManager[None]:
    """Keeps away servers that would count apart from this one; raises AlreadyServed."""
    hold = one_of_several if counts_with_others(settings) else sole_server
    return hold(settings.database)


def catalog_file(settings: Settings) -> CatalogFile:
    """The price catalogue in use, which `sluicegate prices refresh` replaces."""
    return CatalogFile(settings.data_dir / "price-catalog.json")


def make_data_dir(settings: Settings) -> None:
    """Raises ConfigurationError when the folder cannot be had."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError([f"{PREFIX}DATA_DIR: {settings.data_dir} cannot be used: {error.strerror}"]) from None
    if not os.access(settings.data_dir, os.W_OK | os.X_OK):
        fault = f"{settings.data_dir} cannot be written by the user {os.geteuid()}, as which this runs"
        raise ConfigurationError([f"{PREFIX}DATA_DIR: {fault}"])


def prepare_database(settings: Settings) -> None:
    """Gives an empty database its schema; leaves any other to `sluicegate migrate`."""
    make_data_dir(settings)
    if migrate.current(settings.database) is None:
        migrate.upgrade(settings.database)


def migrate_database(settings: Settings) -> str | None:
    """Brings the database to this release's schema; gives the version."""
    make_data_dir(settings)
    return migrate.upgrade(settings.database)


def check_database(settings: Settings) -> None:
    """Raises SchemaError unless the schema is this release's."""
    migrate.check(settings.database)


def known_keys(settings: Settings) -> set[str]:
    """The ids of the keys that open what is stored sealed; none where no key was given or made yet."""
    if settings.kek_primary is None and not (settings.data_dir / KEK_FILE).exists():
        return set()
    return {key.id for key in encryption_keys(settings) if key is not None}


def write_backup(settings: Settings, out: BinaryIO) -> Summary:
    """Writes down the database as it is now; a server may run on it. Raises SchemaError when it is older or newer,
    and ConfigurationError where its key is not here."""
    from sluicegate.storage import backup

    # Before the key: where the database is not, the key is not either.
    check_database(settings)
    made_at, key = SystemClock().now(), encryption_keys(settings)[0]
    return backup.write(settings.database, out, __version__, made_at, key.id)


def restore_backup(settings: Settings, source: BinaryIO, *, without_key: bool) -> Summary:
    """Fills the empty database of the settings. Raises AlreadyServed, SchemaError, and BackupError, also when the key
    of what is sealed is not here, unless that shall do `without_key`."""
    from sluicegate.storage import backup

    def accept(head: Head) -> None:
        if not without_key and head.key_id not in known_keys(settings):
            raise backup.BackupError(_NO_KEY.format(key=head.key_id, folder=settings.data_dir))

    make_data_dir(settings)
    with sole_server(settings.database):
        return backup.restore(settings.database, source, accept)


def open_vault(settings: Settings) -> EnvelopeVault:
    """With the configured keys, or with one that is kept in the data folder; raises ConfigurationError."""
    secondary = settings.kek_secondary
    if settings.kek_primary is None:
        return EnvelopeVault(_kept_key(settings))
    return EnvelopeVault(
        key_from_text(settings.kek_primary.reveal()),
        key_from_text(secondary.reveal()) if secondary else None,
    )


def encryption_keys(settings: Settings) -> tuple[EncryptionKey, EncryptionKey | None]:
    """Which keys `open_vault` takes, told apart without giving one away; raises ConfigurationError where none is."""
    if settings.kek_primary is None:
        path = settings.data_dir / KEK_FILE
        if not path.exists():
            fault = f"{path}: is missing; restore it from a backup, or set {PREFIX}KEK_PRIMARY"
            raise ConfigurationError([fault])
        made = path.stat().st_mtime
        return EncryptionKey(key_id(_kept_key(settings)), datetime.fromtimestamp(made, UTC)), None
    secondary = settings.kek_secondary
    return _given_key(settings.kek_primary), _given_key(secondary) if secondary else None


def _given_key(text: Secret) -> EncryptionKey:
    return EncryptionKey(key_id(key_from_text(text.reveal())))


def _kept_key(settings: Settings) -> bytes:
    path = settings.data_dir / KEK_FILE
    if not path.exists():
        make_data_dir(settings)
    try:
        return kept_key(path)
    except ValueError:
        raise ConfigurationError([f"{path}: holds no key; restore it from a backup"]) from None
