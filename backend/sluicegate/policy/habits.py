"""What a call will probably use, judged by what the same user's calls to the same model used before."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from sluicegate.domain.usage import TOKENS_PER_PRICE, Prices, TokenUsage, cost_of
from sluicegate.kit.money import Nanos

MAX_OUTPUT_GUESS = 4_000
WHOLE = 1000
_LEAST = 20
_HISTORY = 32
# Where the 95th percentile stands among so many sorted values.
_RANKS = [math.ceil(0.95 * number) - 1 for number in range(_HISTORY + 1)]
_REMEMBERED = 50_000


class Habit(NamedTuple):
    """`output` in tokens, `input_share` in thousandths of what the estimated input costs at full price."""

    output: int
    input_share: int


_FIRST = Habit(MAX_OUTPUT_GUESS, WHOLE)


class _History:
    """The last calls, and what follows from them."""

    __slots__ = ("_outputs", "_shares", "habit")

    def __init__(self) -> None:
        self._outputs, self._shares = _Recent(MAX_OUTPUT_GUESS), _Recent(WHOLE)
        self.habit = _FIRST

    def add(self, output: int, input_share: int) -> None:
        if self._outputs.add(output) | self._shares.add(input_share):
            self.habit = Habit(max(1, min(self._outputs.high, MAX_OUTPUT_GUESS)), self._shares.high)


class _Recent:
    """The last values of one figure; `high` is their 95th percentile."""

    __slots__ = ("_values", "high")

    def __init__(self, high: int) -> None:
        self._values = deque[int](maxlen=_HISTORY)
        self.high = high

    def add(self, value: int) -> bool:
        """Whether `high` may have changed. Most values come and go well below it, and need no look at the others."""
        values, high = self._values, self.high
        gone = values[0] if len(values) == _HISTORY else None
        values.append(value)
        if gone is not None and (gone == value or (gone < high and value <= high)):
            return False
        self.high = sorted(values)[_RANKS[len(values)]]
        return True


class Habits:
    """Both figures are the 95th percentile of the last 32 calls, and never above the guess for a first call.

    Assistants ask for a `max_tokens` of up to 128,000 and use a few hundred, and send prompts of which the provider has
    nine tenths cached at a tenth of the price: reserved in full, a few calls would fill a budget that is hardly spent.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], _History] = {}

    def expected(
        self, user_id: str, model_id: str, prices: Prices, input_tokens: int, max_tokens: int | None
    ) -> tuple[int, Nanos]:
        """Output in tokens, none where `max_tokens` is 0, as it is for calls that generate nothing; and what the call
        costs with so much estimated input. Whether it is a long one is judged by all of its input, and the share that
        is paid in full by what calls of its own length cost."""
        known = self._seen.get((user_id, model_id))
        output, share = _FIRST if known is None else known.habit
        if max_tokens is not None and max_tokens < output:
            output = max_tokens
        usage = TokenUsage(-(-input_tokens * share // WHOLE), 0, 0, 0, output)
        return output, cost_of(usage, prices.at(input_tokens) if prices.long_context else prices)

    def learn(
        self, user_id: str, model_id: str, prices: Prices, estimated_input: int, usage: TokenUsage, cost: Nanos
    ) -> None:
        key = (user_id, model_id)
        known = self._seen.get(key)
        if known is None:
            if len(self._seen) >= _REMEMBERED:
                del self._seen[next(iter(self._seen))]
            known = self._seen[key] = _History()
        known.add(usage.output, _input_share(prices, estimated_input, usage, cost))


def _input_share(prices: Prices, estimated_input: int, usage: TokenUsage, cost: Nanos) -> int:
    if prices.long_context:
        prices = prices.at(usage.total_input)
    full = estimated_input * (prices.input or 0)
    if full <= 0:
        return WHOLE
    paid = cost * TOKENS_PER_PRICE - usage.output * (prices.output or 0)
    share = -(-paid * WHOLE // full)
    return _LEAST if share < _LEAST else WHOLE if share > WHOLE else share
