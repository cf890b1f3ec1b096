"""What is asked of every target."""

from __future__ import annotations

import json
from dataclasses import dataclass

_FILLER = "You are a careful assistant who reads before writing. "
SMALL = json.dumps({"model": "bench-model", "messages": [{"role": "user", "content": _FILLER * 4}]}).encode()
STREAM = json.dumps(
    {
        "model": "bench-model",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [{"role": "user", "content": _FILLER * 4}],
    },
    separators=(",", ":"),
).encode()
LARGE = json.dumps(
    {
        "model": "bench-model",
        "messages": [{"role": "user", "content": f"{number}: " + _FILLER * 36} for number in range(100)],
    }
).encode()


@dataclass(frozen=True, slots=True)
class Load:
    """`pace_us` between the events of a stream, of which there are `events`. `requests` bounds it besides the time;
    `rate` is in requests a second, where they come at a fixed pace instead of after each other; `ramp` are seconds over
    which the connections are opened, so that their streams do not all send at the same moment."""

    name: str
    body: bytes
    connections: int
    stream: bool = False
    events: int = 50
    pace_us: int = 0
    requests: int = 1_000_000_000
    rate: float = 0.0
    ramp: float = 0.0
    quick: bool = True


LOADS = [
    Load("json c1", SMALL, 1),
    Load("json c16", SMALL, 16),
    Load("json c64", SMALL, 64, quick=False),
    Load("json c256", SMALL, 256, quick=False),
    Load("json 100/s", SMALL, 0, rate=100),
    Load("json 200 KB c16", LARGE, 16),
    Load("stream c16", STREAM, 16, stream=True),
    Load("paced stream c16", STREAM, 16, stream=True, events=20, pace_us=10_000),
    Load("paced stream c1000", STREAM, 1000, stream=True, events=5, pace_us=400_000, ramp=2, quick=False),
]
MEMORY = Load("10,000 streams", STREAM, 16, stream=True, requests=10_000)
