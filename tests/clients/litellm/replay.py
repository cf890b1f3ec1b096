"""What aider does with litellm for one question, from a JSON object on the input; prints the answer's text.

aider asks for a stream at temperature 0 without `stream_options`, bounds nothing at providers of OpenAI's kind, and
says its rules once more at the end.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import litellm

RULES = "Answer with *SEARCH/REPLACE blocks* and nothing else."


def main(asked: dict[str, Any]) -> str:
    # It would tell of models that it does not know where the answer belongs; aider silences it too.
    litellm.suppress_debug_info = True
    messages = [
        {"role": "system", "content": RULES},
        {"role": "user", "content": f"These are the files:\n\n{asked['files']}"},
        {"role": "assistant", "content": "Ok."},
        {"role": "user", "content": asked["question"]},
        {"role": "system", "content": RULES},
    ]
    pieces = litellm.completion(
        model=asked["model"],
        messages=messages,
        stream=True,
        temperature=0,
        api_base=asked["base"],
        api_key=asked["key"],
        num_retries=0,
        timeout=60,
    )
    return "".join(piece.choices[0].delta.content or "" for piece in pieces)


if __name__ == "__main__":
    print(main(json.load(sys.stdin)))
