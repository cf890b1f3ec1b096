"""Words for the demo provider: short, about the prompt, the same for the same prompt."""

from __future__ import annotations

import re
import zlib

_GREETING = re.compile(r"^(hi|hello|hey|hallo|good (?:morning|afternoon|evening))\b", re.IGNORECASE)
_ECHO = re.compile(
    r"^(?:please )?(?:say|(?:reply|respond|answer) (?:with|only|just|exactly))"
    r"(?: only| exactly| just| with)?(?: the words?)?:? +"
    r"[\"'“]?([^\n]{1,80}?)[\"'”]?[.!]?$",
    re.IGNORECASE,
)
_FENCE = re.compile(r"```.*?(?:```|$)", re.DOTALL)
_TOPIC_WORDS = 12
_TOPIC_LENGTH = 90

_WELCOMES = ("Hello! Good to hear from you.", "Hi there!", "Hello, and welcome to Sluicegate.")
_SUMMARIES = (
    "In one line: {topic}, and the rest is detail that can wait.",
    "The heart of it is {topic}; everything else supports that point.",
)
_CODE = (
    "For {topic}, I would begin with a failing test, change the smallest piece that makes it pass, and then tidy up.",
    "With {topic}, look first at the inputs that nobody expected; that is where most surprises in code live.",
    "To get on with {topic}, split the work into a pure part that decides and a thin part that reads and writes.",
)
_QUESTIONS = (
    "You ask about {topic}. It depends on what you measure, so pick one measure and look at it twice.",
    "That is a fair question: {topic}. Start from what is known for certain and change one thing at a time.",
    "On {topic}: there is a simple answer for the common case, and the rest follows from its exceptions.",
)
_DRAFTS = (
    "Here is a first draft for {topic}: open with the point, give one example, and end with what should happen next.",
    "For {topic}, I would keep it to three sentences: what it is, why it matters, and how to begin.",
)
_REMARKS = (
    "I read your message about {topic} and would take it one step at a time.",
    "About {topic}: a small first version is worth more than a large plan.",
    "Thanks for telling me about {topic}. I would write down what done looks like, and then begin.",
)
_STEPS = (
    "\n\n1. Say in one sentence what you want from it.\n2. Try the simplest thing that could work.\n"
    "3. Compare the result with that sentence, and go again.",
    "\n\n- What is known: the words in your message.\n- What is open: everything they leave out.\n"
    "- What comes next: one small step that can be undone.",
)
_DISCLOSURES = (
    "I am the demo provider built into Sluicegate, so no model was asked and these words are made up on the spot.",
    "This comes from Sluicegate's built-in demo provider: it shows how calls flow, but there is no model behind it.",
)
_ADVICE = (
    "To connect a real one, open Providers in the console, add it with its key, and grant a group one of its models.",
    "When you are ready for real answers, add a provider with its key in the console and point this model at it.",
)
_RULES = (
    (re.compile(r"summar|tl;dr|shorten|in short", re.IGNORECASE), _SUMMARIES),
    (re.compile(r"```|\b(code|function|class|bugs?|errors?|tests?|refactor|script|regex|sql)\b", re.IGNORECASE), _CODE),
    (re.compile(r"\?|^(what|why|how|who|when|where|which|explain|describe|tell me)\b", re.IGNORECASE), _QUESTIONS),
    (re.compile(r"^(please )?(write|draft|compose|create|generate|make)\b", re.IGNORECASE), _DRAFTS),
    (re.compile(""), _REMARKS),
)


def topic_of(ask: str) -> str:
    """The first line of what was asked, cut to a dozen words."""
    line = next((line.strip(" #*>-\t") for line in _FENCE.sub(" ", ask).splitlines() if line.strip(" #*>-\t")), "")
    words = line.split()
    short = " ".join(words[:_TOPIC_WORDS])[:_TOPIC_LENGTH].rstrip(" .,;:!?")
    return short or "your message"


def reply_to(ask: str, *, thorough: bool) -> str:
    """An answer in a few sentences; `thorough` adds a short list."""
    seed = zlib.crc32(ask.encode())
    if echo := _ECHO.match(ask):
        return f"{echo[1][:1].upper()}{echo[1][1:]}"
    closing = f"{_pick(_DISCLOSURES, seed, 1)} {_pick(_ADVICE, seed, 2)}"
    if _GREETING.match(ask) and len(ask.split()) <= 4:
        return f"{_pick(_WELCOMES, seed, 0)} {closing}"
    sentences = next(options for pattern, options in _RULES if pattern.search(ask))
    body = _pick(sentences, seed, 0).format(topic=f"“{topic_of(ask)}”")
    if thorough:
        body += _pick(_STEPS, seed, 3)
    return f"{body}\n\n{closing}"


def reply_to_result(result: str) -> str:
    """An answer once a tool has run."""
    shown = " ".join(result.split())
    if not shown:
        return "The tool finished and returned nothing. That completes what you asked for."
    shown = shown if len(shown) <= _TOPIC_LENGTH else f"{shown[:_TOPIC_LENGTH].rstrip()}…"
    return f"The tool returned: {shown}\n\nThat completes what you asked for."


def thoughts_about(ask: str, effort: str) -> str:
    """What a reasoning model would show of its thinking; more of it with more effort."""
    topic = topic_of(ask)
    thoughts = (
        f"The user writes about “{topic}”.",
        "I should find out first whether this is a question, a task or a greeting.",
        "A short answer that says plainly where it comes from serves better than a long one.",
        "Let me check that nothing in it could be mistaken for a fact that I looked up.",
        "It is clear and honest, so I will answer now.",
    )
    count = {"low": 2, "medium": 4}.get(effort, len(thoughts))
    return " ".join(thoughts[:count])


def _pick(options: tuple[str, ...], seed: int, salt: int) -> str:
    return options[(seed >> (salt * 5)) % len(options)]
