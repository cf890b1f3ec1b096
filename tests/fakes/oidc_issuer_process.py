"""The issuer as a process of its own, for tests that are not written in Python.

Prints its address. Each line that it reads is a JSON object with what changes, `person` or `error`; it says `ok` to
each.
"""

from __future__ import annotations

import asyncio
import json
import sys

from fakes.oidc_issuer import oidc_issuer


async def main() -> None:
    async with oidc_issuer() as issuer:
        print(issuer.url, flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            for name, value in json.loads(line).items():
                setattr(issuer, name, value)
            print("ok", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
