"""Every setting: a variable `SLUICEGATE_<NAME>`, its type, its default and what it does.

Secrets may be given as `SLUICEGATE_<NAME>_FILE` instead, the path of a file that holds the value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from sluicegate.domain.passwords import check_password
from sluicegate.domain.user import parse_email
from sluicegate.kit.crypto import key_from_text
from sluicegate.kit.errors import InvalidInput

if TYPE_CHECKING:
    from email.headerregistry import Address

PREFIX = "SLUICEGATE_"
_SECRETS = ("KEK_PRIMARY", "KEK_SECONDARY", "ADMIN_PASSWORD", "DATABASE_URL", "REDIS_URL", "SMTP_PASSWORD")
# Where and as whom policy files are applied; whoever set them for the shell has other commands in it, too.
_OF_COMMANDS = (f"{PREFIX}URL", f"{PREFIX}TOKEN")
_PREFIX_OF_KEYS = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SMTP_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class ConfigurationError(Exception):
    """The settings cannot be taken; `faults` names each variable with its problem."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _none_if_blank(value: Any) -> Any:
    return None if value == "" else value


OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_none_if_blank)]
OptionalText = Annotated[str | None, BeforeValidator(_none_if_blank)]


class Settings(BaseSettings):
    """Read from the environment once, at start."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    workers: int = Field(
        1, ge=1, le=64, description="Processes that serve; more than 1 need PostgreSQL and Redis to count together."
    )
    data_dir: Path = Field(Path("data"), description="Folder of the embedded database, journal and generated keys.")
    database_url: OptionalText = Field(
        None, description="`sqlite:///path` or `postgresql://user@host/name`; by default SQLite in the data folder."
    )
    redis_url: OptionalText = Field(
        None,
        description="`redis://host:6379/0` or `rediss://…`, where several processes count together; by default none.",
    )
    redis_prefix: str = Field(
        "sluicegate", description="What the names of all keys in Redis begin with; one for each deployment."
    )
    redis_fail_closed: bool = Field(
        False, description="Whether calls are refused with 503 while Redis is away, instead of served from shares."
    )
    public_url: OptionalText = Field(
        None, description="Address under which people and assistants reach this server, such as https://ai.example.com."
    )
    time_zone: str = Field("UTC", description="IANA zone in which budget days, weeks and months begin.")
    kek_primary: OptionalSecret = Field(
        None, description="Key that wraps stored credentials: 32 bytes as base64 or hexadecimal. Generated when absent."
    )
    kek_secondary: OptionalSecret = Field(None, description="The previous key, still read while keys are rotated.")
    admin_email: OptionalText = Field(None, description="E-mail of the first administrator, made if there is none.")
    admin_password: OptionalSecret = Field(None, description="Password of the first administrator.")
    smtp_host: OptionalText = Field(
        None, description="Mail server for invitations and password resets; without one, links are shown instead."
    )
    smtp_port: int | None = Field(
        None, ge=1, le=65535, description="Port of the mail server; by default 587, 465 with `tls`, 25 with `none`."
    )
    smtp_user: OptionalText = Field(None, description="Name to sign in to the mail server with, if it asks for one.")
    smtp_password: OptionalSecret = Field(None, description="Password to sign in to the mail server with.")
    smtp_from: OptionalText = Field(
        None, description="Sender of all mail, such as `Sluicegate <sluicegate@example.com>`."
    )
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="Encryption towards the mail server: `starttls`, `tls` from the first byte, or `none`."
    )
    smtp_ca_file: Path | None = Field(None, description="PEM file of the authorities to trust for the mail server.")
    max_body_bytes: int = Field(
        10_485_760, ge=1024, le=1_073_741_824, description="Largest request body of a gateway call, in bytes."
    )
    body_grace_seconds: float = Field(
        30.0, gt=0, le=3600, description="Seconds in which headers, and small bodies, must have come."
    )
    body_bytes_per_second: int = Field(
        10_240, ge=1, le=1_073_741_824, description="How fast a body must come at least once the grace is over."
    )
    allow_private_upstreams: bool = Field(
        False, description="Whether providers may live at loopback, private or link-local addresses."
    )
    allow_private_webhooks: bool = Field(
        False, description="Whether webhooks may go to loopback, private or link-local addresses."
    )
    allow_private_issuers: bool = Field(
        False,
        description="Whether identity providers may have loopback, private or link-local addresses, or plain http.",
    )
    issuer_ca_file: Path | None = Field(
        None, description="PEM file of further authorities to trust for identity providers."
    )
    upstream_client: Literal["native", "httpx"] = Field(
        "native", description="Client for provider calls: the built-in one, or httpx."
    )
    upstream_ca_file: Path | None = Field(None, description="PEM file of further authorities to trust for providers.")
    connect_timeout: float = Field(10.0, gt=0, le=600, description="Seconds to reach a provider.")
    first_byte_timeout: float = Field(600.0, gt=0, le=3600, description="Seconds until a provider's answer begins.")
    idle_timeout: float = Field(300.0, gt=0, le=3600, description="Seconds between two reads of an answer.")
    heartbeat_seconds: float = Field(
        15.0,
        ge=0,
        le=3600,
        description="Seconds after which a stream that stands still gets a comment, except Gemini's; 0 for none.",
    )
    upstream_retry_seconds: float = Field(
        2.0,
        ge=0,
        le=60,
        description="Longest wait, in seconds, that a provider may ask for before the gateway tries the call again.",
    )
    max_unsaved_calls: int = Field(
        250_000,
        ge=1,
        le=10_000_000,
        description="Calls that may wait for the database before more are refused with 503.",
    )
    keep_calls_days: Annotated[int | None, BeforeValidator(_none_if_blank)] = Field(
        None,
        ge=62,
        le=36_500,
        description="Days for which single calls are kept, in whole months; by default for ever.",
    )
    keep_days_days: Annotated[int | None, BeforeValidator(_none_if_blank)] = Field(
        None, ge=800, le=36_500, description="Days for which usage by day is kept; by month it is kept for ever."
    )
    keep_hours_days: int = Field(93, ge=62, le=36_500, description="Days for which usage by hour is kept.")
    keep_five_minutes_days: int = Field(7, ge=2, le=400, description="Days for which usage by 5 minutes is kept.")
    keep_sessions_days: int = Field(93, ge=7, le=36_500, description="Days for which usage by session is kept.")
    budget_status: Literal[402, 403, 429] = Field(402, description="Status of a refusal because a budget is reached.")
    drain_seconds: float = Field(
        0.0,
        ge=0,
        le=600,
        description="Seconds that a server told to stop serves on while `/readyz` sends load balancers elsewhere.",
    )
    hang_seconds: float = Field(
        30.0,
        ge=0,
        le=3600,
        description="Seconds after which a process whose event loop hangs ends, to be started anew; 0 for never.",
    )
    traces: bool = Field(
        False, description="Whether calls are traced by OpenTelemetry, whose own variables say where to and how many."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        # Nothing at all would mean every address of the machine.
        if not value.strip():
            raise ValueError("must not be empty; use 0.0.0.0 for all addresses of this machine")
        return value.strip()

    @field_validator("data_dir", mode="before")
    @classmethod
    def _folder(cls, value: Any) -> Any:
        if value == "":
            raise ValueError("must not be empty")
        return value

    @field_validator("upstream_ca_file", "smtp_ca_file", "issuer_ca_file", mode="before")
    @classmethod
    def _authorities(cls, value: Any) -> Any:
        if value is None or value == "":
            return None
        try:
            SSLContext(PROTOCOL_TLS_CLIENT).load_verify_locations(value)
        except OSError as error:
            raise ValueError(f"{value} cannot be read as PEM: {error.strerror or error}") from None
        return value

    @field_validator("hang_seconds")
    @classmethod
    def _patient(cls, value: float) -> float:
        # Loops are looked at once a second.
        if 0 < value < 2:
            raise ValueError("must be 0, for never, or at least 2")
        return value

    @field_validator("budget_status", mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        return int(value) if isinstance(value, str) and value.isdigit() else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is not an IANA time zone such as Europe/Berlin") from None
        return value

    @field_validator("public_url")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        if value is None:
            return None
        wrong = ValueError("must be an address such as https://ai.example.com, without a path")
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            raise wrong from None
        # Console, links and gateway live at the root; credentials in an address end up in logs.
        extras = (parts.path.strip("/"), parts.query, parts.fragment, parts.username, parts.password)
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or any(extras):
            raise wrong
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str | None) -> str | None:
        if value is None:
            return None
        # The value itself is not shown: it may hold a password.
        if not value.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        if value.removeprefix("sqlite:///") in ("", ":memory:"):
            raise ValueError("must name a file: the server needs its data again after a restart")
        try:
            valid = urlsplit(value).port != 0
        except ValueError:
            valid = False
        if not valid:
            raise ValueError("is no valid address; it reads postgresql://user:password@host:5432/name")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        if value is None:
            return None
        # As above, the value may hold a password.
        try:
            parts = urlsplit(value)
            valid = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid:
            raise ValueError("is no valid address; it reads redis://user:password@host:6379/0")
        return value

    @field_validator("redis_prefix")
    @classmethod
    def _prefix(cls, value: str) -> str:
        if not _PREFIX_OF_KEYS.fullmatch(value):
            raise ValueError("must be 1 to 64 letters, digits, dots, hyphens and underscores")
        return value

    @field_validator("kek_primary", "kek_secondary")
    @classmethod
    def _key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                key_from_text(value.get_secret_value())
            except ValueError:
                raise ValueError("must be 32 bytes as base64 or 64 hexadecimal digits") from None
        return value

    @field_validator("smtp_from")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                parse_email(parse_sender(value).addr_spec)
        except (InvalidInput, ValueError):
            raise ValueError("must be an address such as Sluicegate <sluicegate@example.com>") from None
        return value

    @field_validator("admin_email")
    @classmethod
    def _email(cls, value: str | None) -> str | None:
        try:
            return None if value is None else parse_email(value)
        except InvalidInput as error:
            raise ValueError(error.message) from None

    @field_validator("admin_password")
    @classmethod
    def _password(cls, value: SecretStr | None) -> SecretStr | None:
        try:
            if value is not None:
                check_password(value.get_secret_value())
        except InvalidInput as error:
            raise ValueError(error.message) from None
        return value

    def described(self) -> Iterator[tuple[str, str, str | None, bool, bool]]:
        """Of every setting its variable, what it does, its value as text, whether it was given, and whether it is a
        secret; a secret's value stays here."""
        for name, field in type(self).model_fields.items():
            value, secret = getattr(self, name), name.upper() in _SECRETS
            shown = None if secret or value is None else str(value).lower() if value in (True, False) else str(value)
            yield f"{PREFIX}{name.upper()}", field.description or "", shown, name in self.model_fields_set, secret

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # Only what `load` passes: it reads the environment itself, secret files included.
        return (init_settings,)

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
    """The settings of an environment (by default the process's); raises ConfigurationError with all faults at once."""
    environment = os.environ if environment is None else environment
    values, faults = _read(environment)
    values.update({name: value for name, value in overrides.items() if value is not None})
    faults += _contradictions(values)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        faults += [
            f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()
        ]
        raise ConfigurationError(faults) from None
    if faults:
        raise ConfigurationError(faults)
    return settings


_PAIRS = (("ADMIN_EMAIL", "ADMIN_PASSWORD"), ("SMTP_HOST", "SMTP_FROM"), ("SMTP_USER", "SMTP_PASSWORD"))


def _contradictions(values: Mapping[str, Any]) -> Iterator[str]:
    """Asked of what was given, not of finished settings, so that a fault elsewhere does not hide them."""
    for one, other in _PAIRS:
        if bool(values.get(one.lower())) != bool(values.get(other.lower())):
            yield f"{PREFIX}{one} and {PREFIX}{other}: give both or neither"
    if values.get("kek_secondary") and not values.get("kek_primary"):
        yield f"{PREFIX}KEK_SECONDARY: makes sense only beside {PREFIX}KEK_PRIMARY"
    if values.get("smtp_password") and values.get("smtp_tls") == "none":
        yield f"{PREFIX}SMTP_TLS: 'none' would send the password in clear text; use 'starttls' or 'tls'"
    if _number_in(values.get("workers")) > 1:
        needed = {"DATABASE_URL": "postgresql://", "REDIS_URL": "redis"}
        missing = [name for name, begin in needed.items() if not str(values.get(name.lower()) or "").startswith(begin)]
        if missing:
            yield (
                f"{PREFIX}WORKERS: each worker would count limits and budgets by itself, and together they would admit "
                "too much. Let them count in Redis, with PostgreSQL as the database: set "
                f"{' and '.join(PREFIX + name for name in missing)}, or serve with 1 worker"
            )


def _number_in(value: Any) -> int:
    """0 where it is none: that is another fault."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def parse_sender(text: str) -> Address:
    """Name and address of a sender; raises ValueError."""
    # Half a megabyte, for those with a mail server.
    from email.headerregistry import Address

    if not text.isprintable():
        raise ValueError("control characters")
    name, address = parseaddr(text)
    return Address(name, addr_spec=address)


def _read(environment: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    faults: list[str] = []
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or variable.startswith(f"{PREFIX}TEST_") or variable in _OF_COMMANDS:
            continue
        name = variable.removeprefix(PREFIX)
        if name.endswith("_FILE") and name.removesuffix("_FILE") in _SECRETS:
            try:
                values[name.removesuffix("_FILE").lower()] = Path(text).read_text().strip()
            except OSError as error:
                faults.append(f"{variable}: cannot read {text}: {error.strerror}")
            except UnicodeDecodeError:
                faults.append(f"{variable}: {text} is no text file")
        elif name.lower() in Settings.model_fields:
            values[name.lower()] = text
        else:
            faults.append(f"{variable}: there is no such setting")
    faults += [
        f"{PREFIX}{name} and {PREFIX}{name}_FILE: give one of them"
        for name in _SECRETS
        if PREFIX + name in environment and f"{PREFIX}{name}_FILE" in environment
    ]
    return values, faults


def is_address(host: str) -> bool:
    """Whether `host` is a literal IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
