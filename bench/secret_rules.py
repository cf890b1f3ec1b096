"""What secret rules cost: one prompt of 1 MB, and what others wait for while such prompts are looked through.

.venv/bin/python bench/secret_rules.py
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sluicegate.domain.secret_rule import SecretAction, SecretCheck, SecretRule
from sluicegate.gateway.secrets import Body
from sluicegate.policy.secrets import SecretRules
from sluicegate.services.secret_packs import PACKS

NOW = datetime(2026, 11, 24, tzinfo=UTC)
WORDS = [
    "the",
    "quick",
    "brown",
    "def",
    "return",
    "import",
    "self",
    "async",
    "await",
    "token",
    "key",
    "value",
    "password",
    "config",
    "user",
    "session",
    "request",
    "response",
    "data",
    "list",
    "dict",
    "none",
    "true",
    "false",
    "print",
    "error",
]


def prompt(size: int, secrets: int = 0) -> bytes:
    """A conversation of tool results full of code, as coding assistants send it."""
    chance = random.Random(1)
    messages = []
    for number in range(size // 5_300):
        lines = []
        while sum(map(len, lines)) < 4_700:
            line = "    " * chance.randrange(4) + " ".join(chance.choices(WORDS, k=chance.randint(3, 12)))
            lines.append(f'{line} = "{chance.choice(WORDS)}"' if chance.random() < 0.4 else line)
        if number < secrets:
            lines.insert(5, "AWS_KEY=AKIAIOSFODNN7EXAMPLE")
        block = {"type": "tool_result", "tool_use_id": f"toolu_{number:08}", "content": "\n".join(lines)}
        messages.append({"role": "user", "content": [block]})
    return json.dumps({"model": "x", "max_tokens": 100, "messages": messages}).encode()


def rules(count: int) -> SecretRules:
    """Every template of the packs, and rules of a company's own up to `count`."""
    made = [
        SecretRule(t.key, t.name, "", t.pattern, SecretAction.REDACT, t.check, True, t.key, NOW)
        for pack in PACKS
        for t in pack.templates
    ]
    for number in range(count - len(made)):
        pattern = rf"\bacme{number:03}_[A-Za-z0-9]{{{20 + number % 20}}}\b"
        name = f"own {number}"
        made.append(SecretRule(name, name, "", pattern, SecretAction.REDACT, SecretCheck.NONE, True, None, NOW))
    return SecretRules(made[:count])


def best_of(work: Callable[[], object], times: int = 9) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken) * 1_000


def cleared(raw: bytes, compiled: SecretRules) -> bytes:
    body = Body(raw)
    return body.without(compiled.scan(body.texts).hits)


async def waits(raw: bytes, compiled: SecretRules) -> list[float]:
    """How late a timer of 1 ms comes, in milliseconds, while two prompts at a time are looked through in threads."""
    late, stop = list[float](), False

    async def scanning() -> None:
        while not stop:
            await asyncio.to_thread(cleared, raw, compiled)

    scans = [asyncio.create_task(scanning()) for _ in range(2)]
    end = time.perf_counter() + 4
    while time.perf_counter() < end:
        start = time.perf_counter()
        await asyncio.sleep(0.001)
        late.append((time.perf_counter() - start) * 1_000 - 1)
    stop = True
    await asyncio.gather(*scans)
    return sorted(late)


def main() -> None:
    for count in (28, 200):
        compiled = rules(count)
        for size, secrets in ((10_600, 0), (106_000, 0), (1_060_000, 0), (1_060_000, 50)):
            raw = prompt(size, secrets)
            print(
                f"{count:>3} rules, {len(raw):>9,} bytes, {secrets:>2} secrets: "
                f"{best_of(lambda: cleared(raw, compiled)):7.2f} ms "  # noqa: B023 - called at once
                f"(laying out the body {best_of(lambda: Body(raw)):.2f} ms)"  # noqa: B023 - called at once
            )
    late = asyncio.run(waits(prompt(1_060_000), rules(200)))
    print(
        f"beside two such prompts at a time, 200 rules: a timer comes late by {late[len(late) // 2]:.2f} ms (median), "
        f"{late[len(late) * 99 // 100]:.2f} ms (99 %), {late[-1]:.2f} ms (worst)"
    )


if __name__ == "__main__":
    main()
