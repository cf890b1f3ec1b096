"""The demo: seeded once, remembered in `demo.json`, printed at every start."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import typer

from sluicegate.container import Container
from sluicegate.kit.errors import Conflict
from sluicegate.ports.pages import UserFilter
from sluicegate.services.demo_data import seed_demo
from sluicegate.settings import Settings

FACTS_FILE = "demo.json"
_FACTS = ("url", "admin", "admin_token", "member", "models")


def keeps_demo(settings: Settings) -> bool:
    """Whether the data folder holds a demo that was seeded before."""
    return (settings.data_dir / FACTS_FILE).exists()


async def prepare_demo(container: Container, url: str) -> dict[str, Any]:
    """The facts of this data folder's demo, seeding it at first; raises Conflict in a folder that holds other data."""
    path = container.settings.data_dir / FACTS_FILE
    if path.exists():
        facts = _kept_facts(path) | {"url": url}
    else:
        async with container.store.read() as tx:
            if await tx.users.count(UserFilter()):
                folder = container.settings.data_dir
                raise Conflict(
                    f"{folder} holds data but no {FACTS_FILE}; set SLUICEGATE_DATA_DIR to an empty folder, "
                    "or remove this one if there was nothing but a demo in it."
                )
        seeded = await seed_demo(container.store, container.clock, container.usage_writer.write)
        facts = {
            "url": url,
            "admin": {"email": seeded.admin_email, "password": seeded.admin_password},
            "admin_token": seeded.admin_token,
            "member": {
                "email": seeded.member_email,
                "password": seeded.member_password,
                "key": seeded.member_key,
            },
            "models": list(seeded.models),
        }
    _keep_facts(path, facts)
    return facts


def _kept_facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text())
        return {name: facts[name] for name in _FACTS}
    except (ValueError, KeyError, TypeError):
        raise Conflict(f"{path} is damaged. Restore it, or remove the whole folder to begin anew.") from None


def _keep_facts(path: Path, facts: dict[str, Any]) -> None:
    # Created for the owner's eyes only; a change of mode after writing would come too late.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
        json.dump(facts, out, indent=2)
    draft.replace(path)


def print_demo(facts: dict[str, Any], url: str) -> None:
    """Everything a newcomer needs, ready to paste."""
    admin, member, model = facts["admin"], facts["member"], facts["models"][0]
    body = json.dumps({"model": model, "stream": True, "messages": [{"role": "user", "content": "Hello!"}]})
    lines = (
        "",
        f"Sluicegate demo   {url}",
        "",
        f"Admin sign-in     {admin['email']}  {admin['password']}",
        f"Member sign-in    {member['email']}  {member['password']}",
        f"Member's key      {member['key']}",
        "",
        "Try a call:",
        f"curl -N {url}/v1/chat/completions -H 'Authorization: Bearer {member['key']}' "
        f"-H 'Content-Type: application/json' -d '{body}'",
        "",
        "Claude Code through the gateway:",
        f"ANTHROPIC_BASE_URL={url} ANTHROPIC_AUTH_TOKEN={member['key']} ANTHROPIC_MODEL=claude-demo "
        "ANTHROPIC_DEFAULT_HAIKU_MODEL=claude-demo claude",
        "",
    )
    typer.echo("\n".join(lines))
