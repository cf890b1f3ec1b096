"""Every setting: a variable `SLUICEGATE_<NAME>`, its type, its default and what it does.

Secrets may be given as `SLUICEGATE_<NAME>_FILE` instead, the path of a file that holds the value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sluicegate.domain.passwords import check_password
from sluicegate.domain.user import parse_email
from sluicegate.kit.crypto import key_from_text
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.reading import Reader, flag, number, one_of, optional, whole
from sluicegate.kit.secret import Secret

if TYPE_CHECKING:
    from email.headerregistry import Address

T = TypeVar("T")
Encryption = Literal["starttls", "tls", "none"]
Client = Literal["native", "httpx"]
Refusal = Literal[402, 403, 429]
Level = Literal["debug", "info", "warning", "error"]
PREFIX = "SLUICEGATE_"
# Where and as whom policy files are applied; whoever set them for the shell has other commands in it, too.
_OF_COMMANDS = (f"{PREFIX}URL", f"{PREFIX}TOKEN")
_PREFIX_OF_KEYS = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SMTP_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_DECLARED = "declared"


class ConfigurationError(Exception):
    """The settings cannot be taken; `faults` names each variable with its problem."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _host(text: str) -> str:
    # Nothing at all would mean every address of the machine.
    if not text.strip():
        raise ValueError("must not be empty; use 0.0.0.0 for all addresses of this machine")
    return text.strip()


def _folder(text: str) -> Path:
    if not text:
        raise ValueError("must not be empty")
    return Path(text)


def _authorities(text: str) -> Path:
    try:
        SSLContext(PROTOCOL_TLS_CLIENT).load_verify_locations(text)
    except OSError as error:
        raise ValueError(f"{text} cannot be read as PEM: {error.strerror or error}") from None
    return Path(text)


def _patience(text: str) -> float:
    seconds = number(0, 3600)(text)
    # Loops are looked at once a second.
    if 0 < seconds < 2:
        raise ValueError("must be 0, for never, or at least 2")
    return seconds


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{text!r} is not an IANA time zone such as Europe/Berlin") from None
    return text


def _origin(text: str) -> str:
    wrong = ValueError("must be an address such as https://ai.example.com, without a path")
    text = text.strip()
    # In a link it would end the address.
    if any(map(str.isspace, text)):
        raise wrong
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise wrong from None
    # Console, links and gateway live at the root; credentials in an address end up in logs.
    extras = (parts.path.strip("/"), parts.query, parts.fragment, parts.username, parts.password)
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or any(extras):
        raise wrong
    return text.rstrip("/")


def _database(text: str) -> str:
    # The value itself is not shown: it may hold a password.
    if not text.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    if text.removeprefix("sqlite:///") in ("", ":memory:"):
        raise ValueError("must name a file: the server needs its data again after a restart")
    try:
        valid = urlsplit(text).port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("is no valid address; it reads postgresql://user:password@host:5432/name")
    return text


def _redis(text: str) -> str:
    # As above, the value may hold a password.
    try:
        parts = urlsplit(text)
        # The client takes any other path for the first database.
        numbered = re.fullmatch(r"/?[0-9]*", parts.path) is not None
        valid = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0 and numbered
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("is no valid address; it reads redis://user:password@host:6379/0")
    return text


def _prefix(text: str) -> str:
    if not _PREFIX_OF_KEYS.fullmatch(text):
        raise ValueError("must be 1 to 64 letters, digits, dots, hyphens and underscores")
    return text


def _key(text: str) -> Secret:
    try:
        key_from_text(text)
    except ValueError:
        raise ValueError("must be 32 bytes as base64 or 64 hexadecimal digits") from None
    return Secret(text)


def _sender(text: str) -> str:
    try:
        parse_email(parse_sender(text).addr_spec)
    except (InvalidInput, ValueError):
        raise ValueError("must be an address such as Sluicegate <sluicegate@example.com>") from None
    return text


def _email(text: str) -> str:
    try:
        return parse_email(text)
    except InvalidInput as error:
        raise ValueError(error.message) from None


def _password(text: str) -> Secret:
    try:
        return Secret(check_password(text))
    except InvalidInput as error:
        raise ValueError(error.message) from None


@dataclass(frozen=True, slots=True)
class Declared:
    """What is known of a setting whatever it is set to; `about` says what it does."""

    read: Reader[Any]
    about: str
    secret: bool


def setting(default: T, read: Reader[T], about: str, *, secret: bool = False) -> T:
    """A field of `Settings`. A secret may come from a file, and is never shown."""
    declared = Declared(read, about, secret)
    return cast("T", field(default=default, repr=not secret, metadata={_DECLARED: declared}))


@dataclass(frozen=True, slots=True)
class Settings:
    """What `load` read, once, at start; `given` names what was set, as its fields are."""

    host: str = setting("127.0.0.1", _host, "Address to listen on.")
    port: int = setting(8080, whole(0, 65535), "Port to listen on; 0 takes any free one.")
    workers: int = setting(
        1, whole(1, 64), "Processes that serve; more than 1 need PostgreSQL and Redis to count together."
    )
    data_dir: Path = setting(Path("data"), _folder, "Folder of the embedded database, journal and generated keys.")
    database_url: str | None = setting(
        None,
        optional(_database),
        "`sqlite:///path` or `postgresql://user@host/name`; by default SQLite in the data folder.",
        secret=True,
    )
    redis_url: str | None = setting(
        None,
        optional(_redis),
        "`redis://host:6379/0` or `rediss://…`, where several processes count together; by default none.",
        secret=True,
    )
    redis_prefix: str = setting(
        "sluicegate", _prefix, "What the names of all keys in Redis begin with; one for each deployment."
    )
    redis_fail_closed: bool = setting(
        False, flag, "Whether calls are refused with 503 while Redis is away, instead of served from shares."
    )
    public_url: str | None = setting(
        None,
        optional(_origin),
        "Address under which people and assistants reach this server, such as https://ai.example.com.",
    )
    time_zone: str = setting("UTC", _zone, "IANA zone in which budget days, weeks and months begin.")
    kek_primary: Secret | None = setting(
        None,
        optional(_key),
        "Key that wraps stored credentials: 32 bytes as base64 or hexadecimal. Generated when absent.",
        secret=True,
    )
    kek_secondary: Secret | None = setting(
        None, optional(_key), "The previous key, still read while keys are rotated.", secret=True
    )
    admin_email: str | None = setting(
        None, optional(_email), "E-mail of the first administrator, made if there is none."
    )
    admin_password: Secret | None = setting(
        None, optional(_password), "Password of the first administrator.", secret=True
    )
    smtp_host: str | None = setting(
        None, optional(str), "Mail server for invitations and password resets; without one, links are shown instead."
    )
    smtp_port: int | None = setting(
        None, optional(whole(1, 65535)), "Port of the mail server; by default 587, 465 with `tls`, 25 with `none`."
    )
    smtp_user: str | None = setting(None, optional(str), "Name to sign in to the mail server with, if it asks for one.")
    smtp_password: Secret | None = setting(
        None, optional(Secret), "Password to sign in to the mail server with.", secret=True
    )
    smtp_from: str | None = setting(
        None, optional(_sender), "Sender of all mail, such as `Sluicegate <sluicegate@example.com>`."
    )
    smtp_tls: Encryption = setting(
        "starttls",
        one_of(Encryption),
        "Encryption towards the mail server: `starttls`, `tls` from the first byte, or `none`.",
    )
    smtp_ca_file: Path | None = setting(
        None, optional(_authorities), "PEM file of the authorities to trust for the mail server."
    )
    assistant_sign_in: bool = setting(
        True, flag, "Whether assistants may sign people in by way of the browser instead of with a key of theirs."
    )
    max_body_bytes: int = setting(
        10_485_760, whole(1024, 1_073_741_824), "Largest request body of a gateway call, in bytes."
    )
    body_grace_seconds: float = setting(
        30.0, number(0, 3600, above=True), "Seconds in which headers, and small bodies, must have come."
    )
    body_bytes_per_second: int = setting(
        10_240, whole(1, 1_073_741_824), "How fast a body must come at least once the grace is over."
    )
    allow_private_upstreams: bool = setting(
        False, flag, "Whether providers may live at loopback, private or link-local addresses."
    )
    allow_private_webhooks: bool = setting(
        False, flag, "Whether webhooks may go to loopback, private or link-local addresses."
    )
    allow_private_issuers: bool = setting(
        False, flag, "Whether identity providers may have loopback, private or link-local addresses, or plain http."
    )
    issuer_ca_file: Path | None = setting(
        None, optional(_authorities), "PEM file of further authorities to trust for identity providers."
    )
    upstream_client: Client = setting(
        "native", one_of(Client), "Client for provider calls: the built-in one, or httpx."
    )
    upstream_ca_file: Path | None = setting(
        None, optional(_authorities), "PEM file of further authorities to trust for providers."
    )
    connect_timeout: float = setting(10.0, number(0, 600, above=True), "Seconds to reach a provider.")
    first_byte_timeout: float = setting(600.0, number(0, 3600, above=True), "Seconds until a provider's answer begins.")
    idle_timeout: float = setting(300.0, number(0, 3600, above=True), "Seconds between two reads of an answer.")
    heartbeat_seconds: float = setting(
        15.0,
        number(0, 3600),
        "Seconds after which a stream that stands still gets a comment, except Gemini's; 0 for none.",
    )
    upstream_retry_seconds: float = setting(
        2.0,
        number(0, 60),
        "Longest wait, in seconds, that a provider may ask for before the gateway tries the call again.",
    )
    max_unsaved_calls: int = setting(
        250_000, whole(1, 10_000_000), "Calls that may wait for the database before more are refused with 503."
    )
    keep_calls_days: int | None = setting(
        None, optional(whole(62, 36_500)), "Days for which single calls are kept, in whole months; by default for ever."
    )
    keep_days_days: int | None = setting(
        None, optional(whole(800, 36_500)), "Days for which usage by day is kept; by month it is kept for ever."
    )
    keep_hours_days: int = setting(93, whole(62, 36_500), "Days for which usage by hour is kept.")
    keep_five_minutes_days: int = setting(7, whole(2, 400), "Days for which usage by 5 minutes is kept.")
    keep_sessions_days: int = setting(93, whole(7, 36_500), "Days for which usage by session is kept.")
    budget_status: Refusal = setting(402, one_of(Refusal), "Status of a refusal because a budget is reached.")
    drain_seconds: float = setting(
        0.0,
        number(0, 600),
        "Seconds that a server told to stop serves on while `/readyz` sends load balancers elsewhere.",
    )
    hang_seconds: float = setting(
        30.0, _patience, "Seconds after which a process whose event loop hangs ends, to be started anew; 0 for never."
    )
    traces: bool = setting(
        False, flag, "Whether calls are traced by OpenTelemetry, whose own variables say where to and how many."
    )
    log_level: Level = setting("info", one_of(Level), "Least level that is logged.")
    given: frozenset[str] = frozenset()

    @classmethod
    def declared(cls) -> dict[str, Declared]:
        """Every setting by the name of its field."""
        return {one.name: one.metadata[_DECLARED] for one in fields(cls) if _DECLARED in one.metadata}

    def described(self) -> Iterator[tuple[str, str, str | None, bool, bool]]:
        """Of every setting its variable, what it does, its value as text, whether it was given, and whether it is a
        secret; a secret's value stays here."""
        for name, declared in self.declared().items():
            value, secret = getattr(self, name), declared.secret
            shown = None if secret or value is None else str(value).lower() if value in (True, False) else str(value)
            yield f"{PREFIX}{name.upper()}", declared.about, shown, name in self.given, secret

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def smtp_address(self) -> tuple[str, int] | None:
        """Host and port of the mail server; None when there is none."""
        if self.smtp_host is None:
            return None
        return self.smtp_host, self.smtp_port or _SMTP_PORTS[self.smtp_tls]

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'sluicegate.db'}"

    def url_at(self, port: int) -> str:
        """The public address, or the one that listening on `port` gives."""
        if self.public_url:
            return self.public_url
        address = ip_address(self.host) if is_address(self.host) else None
        host = "127.0.0.1" if address is not None and address.is_unspecified else self.host
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def load(environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """The settings of an environment (by default the process's); raises ConfigurationError with all faults at once.
    What overrides it is given by field, as a value or as text; None leaves what the environment says."""
    texts, faults = _read(os.environ if environment is None else environment)
    texts.update({name: str(value) for name, value in overrides.items() if value is not None})
    faults += _contradictions(texts)
    values: dict[str, Any] = {}
    for name, declared in Settings.declared().items():
        try:
            if name in texts:
                values[name] = declared.read(texts[name])
        except ValueError as error:
            faults.append(f"{PREFIX}{name.upper()}: {error}")
    if faults:
        raise ConfigurationError(faults)
    return Settings(**values, given=frozenset(values))


_PAIRS = (("ADMIN_EMAIL", "ADMIN_PASSWORD"), ("SMTP_HOST", "SMTP_FROM"), ("SMTP_USER", "SMTP_PASSWORD"))


def _contradictions(texts: Mapping[str, str]) -> Iterator[str]:
    """Asked of what was given, not of finished settings, so that a fault elsewhere does not hide them."""
    for one, other in _PAIRS:
        if bool(texts.get(one.lower())) != bool(texts.get(other.lower())):
            yield f"{PREFIX}{one} and {PREFIX}{other}: give both or neither"
    if texts.get("kek_secondary") and not texts.get("kek_primary"):
        yield f"{PREFIX}KEK_SECONDARY: makes sense only beside {PREFIX}KEK_PRIMARY"
    if texts.get("smtp_password") and texts.get("smtp_tls", "").strip().lower() == "none":
        yield f"{PREFIX}SMTP_TLS: 'none' would send the password in clear text; use 'starttls' or 'tls'"
    if _number_in(texts.get("workers", "")) > 1:
        needed = {"DATABASE_URL": "postgresql://", "REDIS_URL": "redis"}
        missing = [name for name, begin in needed.items() if not texts.get(name.lower(), "").startswith(begin)]
        if missing:
            yield (
                f"{PREFIX}WORKERS: each worker would count limits and budgets by itself, and together they would admit "
                "too much. Let them count in Redis, with PostgreSQL as the database: set "
                f"{' and '.join(PREFIX + name for name in missing)}, or serve with 1 worker"
            )


def _number_in(text: str) -> int:
    """0 where it is none: that is another fault."""
    try:
        return int(text)
    except ValueError:
        return 0


def parse_sender(text: str) -> Address:
    """Name and address of a sender; raises ValueError."""
    # Half a megabyte, for those with a mail server.
    from email.errors import MessageError
    from email.headerregistry import Address

    if not text.isprintable():
        raise ValueError("control characters")
    name, address = parseaddr(text)
    try:
        return Address(name, addr_spec=address)
    except (MessageError, IndexError):
        raise ValueError("no address") from None


def _read(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What is written for which setting, and what stands for none."""
    declared = Settings.declared()
    secrets = {f"{name.upper()}_FILE": name for name, one in declared.items() if one.secret}
    texts: dict[str, str] = {}
    faults: list[str] = []
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or variable.startswith(f"{PREFIX}TEST_") or variable in _OF_COMMANDS:
            continue
        name = variable.removeprefix(PREFIX)
        if name in secrets:
            try:
                texts[secrets[name]] = content = Path(text).read_text().strip()
                # As if there were none, another database would be taken, or a new key made.
                if not content:
                    faults.append(f"{variable}: {text} is empty")
            except OSError as error:
                faults.append(f"{variable}: cannot read {text}: {error.strerror}")
            except UnicodeDecodeError:
                faults.append(f"{variable}: {text} is no text file")
        elif name.lower() in declared:
            texts[name.lower()] = text
        else:
            faults.append(f"{variable}: there is no such setting")
    faults += [
        f"{PREFIX}{name.upper()} and {PREFIX}{file}: give one of them"
        for file, name in secrets.items()
        if f"{PREFIX}{name.upper()}" in environment and f"{PREFIX}{file}" in environment
    ]
    return texts, faults


def is_address(host: str) -> bool:
    """Whether `host` is a literal IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
