"""The models that the demo provider offers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoModel:
    """`thorough` ones answer at length, `reasoning` ones think first."""

    name: str
    display_name: str
    embeds: bool = False
    thorough: bool = False
    reasoning: bool = False


MODELS = {
    model.name: model
    for model in (
        DemoModel("demo-fast", "Demo Fast"),
        DemoModel("demo-smart", "Demo Smart", thorough=True),
        DemoModel("demo-reasoner", "Demo Reasoner", thorough=True, reasoning=True),
        DemoModel("demo-embed", "Demo Embed", embeds=True),
    )
}
