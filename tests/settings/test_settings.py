"""Settings are read once, and every fault is named at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluicegate.container import Container
from sluicegate.premises import encryption_keys
from sluicegate.settings import ConfigurationError, Settings, load


def faults(environment: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(environment)
    return caught.value.faults


def test_nothing_set_gives_an_embedded_server_on_loopback(tmp_path: Path) -> None:
    settings = load({}, data_dir=tmp_path)
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.database == f"sqlite:///{tmp_path / 'sluicegate.db'}"
    assert settings.url_at(9000) == "http://127.0.0.1:9000"


def test_what_a_shell_is_told_for_policy_files_stands_in_no_other_commands_way(tmp_path: Path) -> None:
    told = {"SLUICEGATE_URL": "https://ai.example.com", "SLUICEGATE_TOKEN": "sgt_x"}
    assert load(told, data_dir=tmp_path) == load({}, data_dir=tmp_path)
    assert faults(told | {"SLUICEGATE_TOKENS": "x"}) == ["SLUICEGATE_TOKENS: there is no such setting"]


def test_all_faults_are_named_at_once() -> None:
    found = faults(
        {
            "SLUICEGATE_PORT": "eighty",
            "SLUICEGATE_TIME_ZONE": "Mars/Olympus",
            "SLUICEGATE_KEK_PRIMARY": "short",
            "SLUICEGATE_DATABASE_URL": "mysql://x",
            "SLUICEGATE_PUBLIC_URL": "ftp://x",
            "SLUICEGATE_ADMIN_EMAIL": "nobody",
            "SLUICEGATE_ADMIN_PASSWORD": "short",
            "SLUICEGATE_BUDGET_STATUS": "200",
            "SLUICEGATE_PROT": "1",
        }
    )
    named = {fault.split(":")[0] for fault in found}
    assert named == {
        f"SLUICEGATE_{name}"
        for name in (
            "PORT",
            "TIME_ZONE",
            "KEK_PRIMARY",
            "DATABASE_URL",
            "PUBLIC_URL",
            "ADMIN_EMAIL",
            "ADMIN_PASSWORD",
            "BUDGET_STATUS",
            "PROT",
        )
    }


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("HOST", " ", "must not be empty"),
        ("DATA_DIR", "", "must not be empty"),
        ("PORT", "65536", "must be a whole number from 0 to 65535, not '65536'"),
        ("PORT", "", "must be a whole number"),
        ("HANG_SECONDS", "1.5", "must be 0, for never, or at least 2"),
        ("DATABASE_URL", "sqlite:///", "must name a file"),
        ("DATABASE_URL", "sqlite:///:memory:", "must name a file"),
        ("DATABASE_URL", "postgresql://ada:hunter2@db:port/x", "is no valid address"),
        ("DATABASE_URL", "postgresql+asyncpg://db/x", "must begin with"),
        ("REDIS_URL", "http://ada:hunter2@cache:6379", "is no valid address"),
        ("REDIS_URL", "redis://ada:hunter2@cache:port", "is no valid address"),
        ("REDIS_URL", "redis:///0", "is no valid address"),
        ("REDIS_URL", "redis://cache:6379/main", "is no valid address"),
        ("REDIS_PREFIX", "two words", "must be 1 to 64"),
        ("REDIS_PREFIX", "", "must be 1 to 64"),
        ("PUBLIC_URL", "https://ai.example.com/gateway", "without a path"),
        ("PUBLIC_URL", "https://ada:hunter2@ai.example.com", "must be an address"),
        ("PUBLIC_URL", "https://ai.example.com:99999", "must be an address"),
        ("PUBLIC_URL", "https://[::1", "must be an address"),
        ("PUBLIC_URL", "ai.example.com", "must be an address"),
        ("PUBLIC_URL", "https://ai example.com", "must be an address"),
        ("UPSTREAM_CA_FILE", __file__, "cannot be read as PEM"),
        ("MAX_BODY_BYTES", "0", "must be a whole number from 1024"),
        ("MAX_UNSAVED_CALLS", "0", "must be a whole number from 1 "),
        ("CONNECT_TIMEOUT", "nan", "must be a number above 0 and at most 600, not 'nan'"),
        ("CONNECT_TIMEOUT", "inf", "at most 600"),
        ("IDLE_TIMEOUT", "-1", "must be a number above 0"),
        ("ALLOW_PRIVATE_UPSTREAMS", "perhaps", "must be true or false, not 'perhaps'"),
        ("LOG_LEVEL", "loud", "must be debug, info, warning or error, not 'loud'"),
        ("KEK_SECONDARY", "ab" * 32, "makes sense only beside SLUICEGATE_KEK_PRIMARY"),
    ],
)
def test_values_that_cannot_be_are_named_with_the_reason(name: str, value: str, fault: str) -> None:
    (found,) = faults({f"SLUICEGATE_{name}": value})
    assert found.startswith(f"SLUICEGATE_{name}: ")
    assert fault in found
    assert "hunter2" not in found


def test_a_contradiction_is_named_beside_other_faults() -> None:
    found = faults({"SLUICEGATE_PORT": "x", "SLUICEGATE_ADMIN_EMAIL": "ada@example.com"})
    assert [fault.split(":")[0] for fault in found] == [
        "SLUICEGATE_ADMIN_EMAIL and SLUICEGATE_ADMIN_PASSWORD",
        "SLUICEGATE_PORT",
    ]


def test_no_fault_repeats_a_secret() -> None:
    found = faults({"SLUICEGATE_KEK_PRIMARY": "not-a-key-but-secret", "SLUICEGATE_ADMIN_PASSWORD": "hunter2"})
    assert not any("not-a-key" in fault or "hunter2" in fault for fault in found)


def test_admin_email_and_password_go_together() -> None:
    assert "give both or neither" in faults({"SLUICEGATE_ADMIN_EMAIL": "ada@example.com"})[0]


def test_what_is_given_to_the_program_counts_before_the_environment(tmp_path: Path) -> None:
    environment = {"SLUICEGATE_PORT": "eighty", "SLUICEGATE_HOST": "::1", "SLUICEGATE_TRACES": "no"}
    settings = load(environment, port=0, host=None, traces=True, drain_seconds=0.5, data_dir=tmp_path)
    assert (settings.port, settings.host, settings.traces, settings.drain_seconds) == (0, "::1", True, 0.5)
    assert settings.data_dir == tmp_path
    assert settings.given == {"port", "host", "traces", "drain_seconds", "data_dir"}
    with pytest.raises(ConfigurationError, match="SLUICEGATE_PORT: must be a whole number"):
        load(environment, port=65536)


@pytest.mark.parametrize("name", Settings.declared())
def test_every_default_is_what_reading_it_gives(name: str) -> None:
    value = getattr(Settings(), name)
    assert value == Settings.declared()[name].read("" if value is None else str(value))


def test_secrets_may_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "kek").write_text("ab" * 32 + "\n")
    settings = load({"SLUICEGATE_KEK_PRIMARY_FILE": str(tmp_path / "kek")})
    assert settings.kek_primary is not None
    assert settings.kek_primary.reveal() == "ab" * 32
    assert "ab" * 32 not in repr(settings)
    both = {"SLUICEGATE_KEK_PRIMARY": "ab" * 32, "SLUICEGATE_KEK_PRIMARY_FILE": str(tmp_path / "kek")}
    assert "give one of them" in faults(both)[0]
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert "is no text file" in faults({"SLUICEGATE_KEK_PRIMARY_FILE": str(tmp_path / "binary")})[0]
    assert "cannot read" in faults({"SLUICEGATE_KEK_PRIMARY_FILE": str(tmp_path / "absent")})[0]
    (tmp_path / "hollow").write_text("\n")
    for name in ("KEK_PRIMARY_FILE", "DATABASE_URL_FILE"):
        said = f"SLUICEGATE_{name}: {tmp_path / 'hollow'} is empty"
        assert faults({f"SLUICEGATE_{name}": str(tmp_path / "hollow")}) == [said]


MAIL = {"SLUICEGATE_SMTP_HOST": "mail.example.com", "SLUICEGATE_SMTP_FROM": "Sluicegate <gate@example.com>"}


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_mail_port_follows_the_encryption(tls: str, port: int) -> None:
    assert load(MAIL | {"SLUICEGATE_SMTP_TLS": tls}).smtp_address == ("mail.example.com", port)
    assert load(MAIL | {"SLUICEGATE_SMTP_PORT": "2525"}).smtp_address == ("mail.example.com", 2525)
    assert load({}).smtp_address is None


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"SLUICEGATE_SMTP_FROM": ""}, "SLUICEGATE_SMTP_HOST and SLUICEGATE_SMTP_FROM: give both or neither"),
        ({"SLUICEGATE_SMTP_FROM": "nobody"}, "must be an address such as Sluicegate <sluicegate@example.com>"),
        ({"SLUICEGATE_SMTP_FROM": " "}, "must be an address such as"),
        ({"SLUICEGATE_SMTP_FROM": "<>"}, "must be an address such as"),
        ({"SLUICEGATE_SMTP_FROM": "Ada <@example.com>"}, "must be an address such as"),
        ({"SLUICEGATE_SMTP_FROM": "a@b.c\r\nBcc: x@example.com"}, "must be an address such as"),
        ({"SLUICEGATE_SMTP_USER": "gate"}, "SLUICEGATE_SMTP_USER and SLUICEGATE_SMTP_PASSWORD: give both or neither"),
        (
            {
                "SLUICEGATE_SMTP_USER": "gate",
                "SLUICEGATE_SMTP_PASSWORD": "hunter2",
                "SLUICEGATE_SMTP_TLS": "None",
            },
            "would send the password in clear text",
        ),
        (
            {"SLUICEGATE_SMTP_CA_FILE": "/nowhere/ca.pem"},
            "SLUICEGATE_SMTP_CA_FILE: /nowhere/ca.pem cannot be read as PEM: No such file or directory",
        ),
    ],
)
def test_mail_settings_that_cannot_work_are_refused(change: dict[str, str], fault: str) -> None:
    (found,) = faults(MAIL | change)
    assert fault in found
    assert "hunter2" not in found


@pytest.mark.parametrize(("environment", "configured"), [({}, False), (MAIL, True)])
async def test_the_deployment_tells_whether_mail_is_configured(
    tmp_path: Path, environment: dict[str, str], configured: bool
) -> None:
    container = Container(load(environment, data_dir=tmp_path), "http://gateway")
    assert container.services.deployment.mail_configured is configured
    await container.stop()


def test_every_setting_is_described_and_no_secret_is_among_the_values(tmp_path: Path) -> None:
    environment = {
        "SLUICEGATE_DATA_DIR": str(tmp_path),
        "SLUICEGATE_DATABASE_URL": "postgresql://me:hush-database@db/x",
        "SLUICEGATE_REDIS_URL": "redis://me:hush-redis@cache/0",
        "SLUICEGATE_KEK_PRIMARY": "ab" * 32,
        "SLUICEGATE_ADMIN_EMAIL": "ada@example.com",
        "SLUICEGATE_ADMIN_PASSWORD": "hush hush four words",
        "SLUICEGATE_SMTP_HOST": "mail.example.com",
        "SLUICEGATE_SMTP_FROM": "gate@example.com",
        "SLUICEGATE_SMTP_USER": "gate",
        "SLUICEGATE_SMTP_PASSWORD": "hush-smtp",
        "SLUICEGATE_ALLOW_PRIVATE_UPSTREAMS": "yes",
    }
    settings = load(environment)
    described = {name: rest for name, *rest in settings.described()}
    shown = repr(described) + repr(settings)
    for secret in ("hush", "ab" * 32):
        assert secret not in shown
    assert all(description for description, *_ in described.values())
    assert described["SLUICEGATE_SMTP_HOST"][1:] == ["mail.example.com", True, False]
    assert described["SLUICEGATE_SMTP_PASSWORD"][1:] == [None, True, True]
    assert described["SLUICEGATE_KEK_SECONDARY"][1:] == [None, False, True]
    assert described["SLUICEGATE_TIME_ZONE"][1:] == ["UTC", False, False]
    assert described["SLUICEGATE_ALLOW_PRIVATE_UPSTREAMS"][1:] == ["true", True, False]


async def test_the_keys_that_wrap_credentials_are_told_apart_without_being_shown(tmp_path: Path) -> None:
    generated = Container(load({}, data_dir=tmp_path), "http://test")
    given = Container(
        load({"SLUICEGATE_KEK_PRIMARY": "ab" * 32, "SLUICEGATE_KEK_SECONDARY": "cd" * 32}, data_dir=tmp_path),
        "http://test",
    )
    try:
        made, none = encryption_keys(generated.settings)
        assert (made.made_at is not None, none) == (True, None)
        first, second = encryption_keys(given.settings)
        assert second is not None
        assert len({made.id, first.id, second.id}) == 3
        assert first.made_at is None
        assert first.id not in "ab" * 32
    finally:
        await generated.stop()
        await given.stop()
