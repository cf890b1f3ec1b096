"""Settings are read once, and every fault is named at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluicegate.settings import ConfigurationError, load


def faults(environment: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(environment)
    return caught.value.faults


def test_nothing_set_gives_an_embedded_server_on_loopback(tmp_path: Path) -> None:
    settings = load({}, data_dir=tmp_path)
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.database == f"sqlite:///{tmp_path / 'sluicegate.db'}"
    assert settings.url_at(9000) == "http://127.0.0.1:9000"


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


def test_no_fault_repeats_a_secret() -> None:
    found = faults({"SLUICEGATE_KEK_PRIMARY": "not-a-key-but-secret", "SLUICEGATE_ADMIN_PASSWORD": "hunter2"})
    assert not any("not-a-key" in fault or "hunter2" in fault for fault in found)


def test_admin_email_and_password_go_together() -> None:
    assert "give both or neither" in faults({"SLUICEGATE_ADMIN_EMAIL": "ada@example.com"})[0]


def test_secrets_may_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "kek").write_text("ab" * 32 + "\n")
    settings = load({"SLUICEGATE_KEK_PRIMARY_FILE": str(tmp_path / "kek")})
    assert settings.kek_primary is not None
    assert settings.kek_primary.get_secret_value() == "ab" * 32
    assert "ab" * 32 not in repr(settings)
    both = {"SLUICEGATE_KEK_PRIMARY": "ab" * 32, "SLUICEGATE_KEK_PRIMARY_FILE": str(tmp_path / "kek")}
    assert "give one of them" in faults(both)[0]
    assert "cannot read" in faults({"SLUICEGATE_KEK_PRIMARY_FILE": str(tmp_path / "absent")})[0]
