"""Changes of providers and of what they offer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import ModelKind, ProviderKind
from sluicegate.domain.price_list import PlannedMultiplier
from sluicegate.graphql.catalog.prices import OWN, PricesInput
from sluicegate.graphql.catalog.types import CAPABILITIES, Provider, ProviderModel
from sluicegate.graphql.context import Info
from sluicegate.graphql.inputs import clearable, required
from sluicegate.graphql.payloads import DeletedPayload, deleted
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.versions import EXPECTED
from sluicegate.kit.money import parse_factor
from sluicegate.kit.secret import Secret
from sluicegate.services.absent import ABSENT
from sluicegate.services.price_lists import ComingPrices
from sluicegate.services.provider_credentials import NewAccessKeys
from sluicegate.services.provider_headers import NewHeader
from sluicegate.services.provider_models import NewProviderModel, ProviderModelChange
from sluicegate.services.providers import NewProvider, ProviderChange

Id = Annotated[strawberry.ID, strawberry.argument(description="Its id.")]


@strawberry.input(description="A header that is sent to a provider.")
class ProviderHeaderInput:
    name: str = strawberry.field(description="Its name; none that authenticates, frames or describes a body.")
    value: str | None = strawberry.field(
        default=None, description="Its value, which nobody can read again; null: the stored one stays."
    )


@strawberry.input(description="A pair of AWS keys; nobody can read the secret ones again.")
class AccessKeysInput:
    access_key_id: str = strawberry.field(description="Begins with AKIA, or with ASIA where it is temporary.")
    secret_access_key: str = strawberry.field(description="The secret that belongs to it.")
    session_token: str | None = strawberry.field(default=None, description="Needed with temporary keys.")

    def value(self) -> NewAccessKeys:
        session = Secret(self.session_token) if self.session_token else None
        return NewAccessKeys(self.access_key_id, Secret(self.secret_access_key), session)


@strawberry.input(description="A multiplier that starts later.")
class PlannedMultiplierInput:
    starts_at: datetime = strawberry.field(description="When it comes into force, in the future.")
    multiplier: str = strawberry.field(description="Factor on all prices but own ones, like 0.85.")


def _plan(given: list[PlannedMultiplierInput]) -> tuple[PlannedMultiplier, ...]:
    return tuple(
        PlannedMultiplier(one.starts_at, parse_factor(one.multiplier, f"plannedMultipliers.{index}.multiplier"))
        for index, one in enumerate(given)
    )


def _headers(given: list[ProviderHeaderInput]) -> tuple[NewHeader, ...]:
    return tuple(NewHeader(h.name, None if h.value is None else Secret(h.value)) for h in given)


@strawberry.input(description="A provider to add.")
class CreateProviderInput:
    kind: ProviderKind = strawberry.field(description="Whose interface it has.")
    name: str = strawberry.field(description="What people call it; unique.")
    base_url: str | None = strawberry.field(default=None, description="Where it is called; absent: the usual address.")
    organization: str | None = strawberry.field(default=None, description="Organisation that calls are billed to.")
    region: str | None = strawberry.field(default=None, description="Region, where the kind has such.")
    api_version: str | None = strawberry.field(
        default=None, description="Version of its interface, where the kind has such, like 2024-10-21."
    )
    price_multiplier: str = strawberry.field(default="1", description="Factor on all prices but own ones, like 0.85.")
    headers: list[ProviderHeaderInput] | None = strawberry.field(
        default=None, description="Further headers, where the kind takes such."
    )
    serves_responses: bool = strawberry.field(
        default=True, description="False where it knows Chat Completions alone: Responses are translated to that."
    )
    credential: str | None = strawberry.field(default=None, description="Its key; nobody can read it again.")
    access_keys: AccessKeysInput | None = strawberry.field(
        default=None, description="In place of a key, where the kind takes them."
    )


@strawberry.input(description="An absent field stays as it is; a null credential is refused, an empty one removes it.")
class UpdateProviderInput:
    id: strawberry.ID = strawberry.field(description="The provider's id.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="What people call it; unique.")
    base_url: str | None = strawberry.field(default=strawberry.UNSET, description="Null: the usual address.")
    organization: str | None = strawberry.field(default=strawberry.UNSET, description="Null: none.")
    region: str | None = strawberry.field(default=strawberry.UNSET, description="Null: none.")
    api_version: str | None = strawberry.field(default=strawberry.UNSET, description="Null: the newest.")
    price_multiplier: str | None = strawberry.field(
        default=strawberry.UNSET, description="From now on: factor on all prices but own ones, like 0.85."
    )
    planned_multipliers: list[PlannedMultiplierInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All changes of the multiplier that are to come."
    )
    headers: list[ProviderHeaderInput] | None = strawberry.field(
        default=strawberry.UNSET, description="All further headers; needed again when the address moves."
    )
    serves_responses: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether calls of Responses go there as they are."
    )
    enabled: bool | None = strawberry.field(default=strawberry.UNSET, description="Whether calls may go there.")
    credential: str | None = strawberry.field(
        default=strawberry.UNSET, description="Needed again when the address moves to another host."
    )
    access_keys: AccessKeysInput | None = strawberry.field(
        default=strawberry.UNSET, description="In place of a key, where the kind takes them."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)


@strawberry.input(description="A provider's model to add.")
class CreateProviderModelInput:
    provider_id: strawberry.ID = strawberry.field(description="Who offers it.")
    name: str = strawberry.field(description="The name that the provider knows.")
    kind: ModelKind = strawberry.field(default=ModelKind.CHAT, description="What it is called for.")
    prices: PricesInput | None = strawberry.field(default=None, description="Absent: unknown, so calls are not served.")
    free: bool = strawberry.field(default=False, description="Declares that calls cost nothing.")
    own: bool = strawberry.field(default=False, description=OWN)
    context_window: int | None = strawberry.field(default=None, description="Most tokens of a call.")
    max_output_tokens: int | None = strawberry.field(default=None, description="Most tokens of an answer.")
    capabilities: list[str] = strawberry.field(default_factory=list, description=CAPABILITIES)


@strawberry.input(description="An absent field stays as it is.")
class UpdateProviderModelInput:
    id: strawberry.ID = strawberry.field(description="The provider model's id.")
    prices: PricesInput | None = strawberry.field(
        default=strawberry.UNSET, description="From now on; replaces all five; null: unknown."
    )
    free: bool | None = strawberry.field(default=strawberry.UNSET, description="Whether calls cost nothing.")
    own: bool | None = strawberry.field(default=strawberry.UNSET, description=OWN)
    context_window: int | None = strawberry.field(default=strawberry.UNSET, description="Null: unknown.")
    max_output_tokens: int | None = strawberry.field(default=strawberry.UNSET, description="Null: unknown.")
    capabilities: list[str] | None = strawberry.field(default=strawberry.UNSET, description=CAPABILITIES)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)


@strawberry.input(description="What calls will cost.")
class SchedulePricesInput:
    provider_model_id: strawberry.ID = strawberry.field(description="The provider model's id.")
    starts_at: datetime = strawberry.field(
        description="When they come into force, in the future; replaces those planned for the same instant."
    )
    prices: PricesInput | None = strawberry.field(default=None, description="Needed unless calls will cost nothing.")
    free: bool = strawberry.field(default=False, description="Declares that calls will cost nothing.")
    own: bool = strawberry.field(default=False, description=OWN)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)


@strawberry.type(description="A provider as it is now.")
class ProviderPayload:
    provider: Provider = strawberry.field(description="The provider.")


@strawberry.type(description="What came of calling a provider.")
class TestProviderPayload:
    # The name is the schema's; no test collector is to take it for a test.
    __test__ = False

    ok: bool = strawberry.field(description="Whether it answered as it should.")
    message: str = strawberry.field(description="What happened, for people.")
    latency_ms: int = strawberry.field(description="How long it took to answer, in milliseconds.")


@strawberry.type(description="A provider's model as it is now.")
class ProviderModelPayload:
    provider_model: ProviderModel = strawberry.field(description="The provider model.")


CreateProvider = Annotated[CreateProviderInput, strawberry.argument(description="What to add.")]
UpdateProvider = Annotated[UpdateProviderInput, strawberry.argument(description="What to change.")]
CreateProviderModel = Annotated[CreateProviderModelInput, strawberry.argument(description="What to add.")]
SchedulePrices = Annotated[SchedulePricesInput, strawberry.argument(description="What will cost how much, and when.")]
UpdateProviderModel = Annotated[UpdateProviderModelInput, strawberry.argument(description="What to change.")]


@strawberry.type
class ProviderMutations:
    @strawberry.mutation(description="Adds a provider.", extensions=[admins(TokenScope.CATALOG)])
    async def create_provider(self, info: Info, input: CreateProvider) -> ProviderPayload:
        new = NewProvider(
            kind=input.kind,
            name=input.name,
            base_url=input.base_url,
            organization=input.organization,
            region=input.region,
            api_version=input.api_version,
            price_multiplier=parse_factor(input.price_multiplier, "priceMultiplier"),
            headers=_headers(input.headers or []),
            serves_responses=input.serves_responses,
            credential=Secret(input.credential) if input.credential else None,
            access_keys=input.access_keys.value() if input.access_keys else None,
        )
        provider = await info.context.services.providers.create(info.context.require_caller(), new)
        return ProviderPayload(provider=Provider.of(provider))

    @strawberry.mutation(description="Changes a provider.", extensions=[admins(TokenScope.CATALOG)])
    async def update_provider(self, info: Info, input: UpdateProvider) -> ProviderPayload:
        credential = required(input.credential, "credential")
        headers = required(input.headers, "headers")
        access_keys = required(input.access_keys, "accessKeys")
        factor = required(input.price_multiplier, "priceMultiplier")
        plan = required(input.planned_multipliers, "plannedMultipliers")
        change = ProviderChange(
            name=required(input.name, "name"),
            base_url=clearable(input.base_url),
            organization=clearable(input.organization),
            region=clearable(input.region),
            api_version=clearable(input.api_version),
            price_multiplier=factor if factor is ABSENT else parse_factor(factor, "priceMultiplier"),
            planned_multipliers=plan if plan is ABSENT else _plan(plan),
            headers=headers if headers is ABSENT else _headers(headers),
            serves_responses=required(input.serves_responses, "servesResponses"),
            enabled=required(input.enabled, "enabled"),
            credential=credential if credential is ABSENT else Secret(credential),
            access_keys=access_keys if access_keys is ABSENT else access_keys.value(),
        )
        provider = await info.context.services.providers.update(
            info.context.require_caller(), input.id, change, input.expected_version
        )
        return ProviderPayload(provider=Provider.of(provider))

    @strawberry.mutation(
        description="Removes a provider, its models and the backends that they stand behind.",
        extensions=[admins(TokenScope.CATALOG)],
    )
    async def delete_provider(self, info: Info, id: Id) -> DeletedPayload:
        await info.context.services.providers.delete(info.context.require_caller(), id)
        return deleted(id)

    @strawberry.mutation(
        description="Asks a provider for its model list, for at most ten seconds.",
        extensions=[admins(TokenScope.CATALOG)],
    )
    async def test_provider(self, info: Info, id: Id) -> TestProviderPayload:
        result = await info.context.services.provider_tests.run(info.context.require_caller(), id)
        return TestProviderPayload(ok=result.ok, message=result.message, latency_ms=result.latency_ms)

    @strawberry.mutation(description="Adds a provider's model.", extensions=[admins(TokenScope.CATALOG)])
    async def create_provider_model(self, info: Info, input: CreateProviderModel) -> ProviderModelPayload:
        new = NewProviderModel(
            provider_id=input.provider_id,
            name=input.name,
            kind=input.kind,
            prices=(input.prices or PricesInput()).value(),
            free=input.free,
            own=input.own,
            context_window=input.context_window,
            max_output_tokens=input.max_output_tokens,
            capabilities=tuple(input.capabilities),
        )
        model = await info.context.services.provider_models.create(info.context.require_caller(), new)
        return ProviderModelPayload(provider_model=ProviderModel.of(model))

    @strawberry.mutation(
        description="Changes prices and limits of a provider's model.", extensions=[admins(TokenScope.CATALOG)]
    )
    async def update_provider_model(self, info: Info, input: UpdateProviderModel) -> ProviderModelPayload:
        prices, capabilities = clearable(input.prices), required(input.capabilities, "capabilities")
        change = ProviderModelChange(
            prices=prices if prices is ABSENT else (prices or PricesInput()).value(),
            free=required(input.free, "free"),
            own=required(input.own, "own"),
            context_window=clearable(input.context_window),
            max_output_tokens=clearable(input.max_output_tokens),
            capabilities=capabilities if capabilities is ABSENT else tuple(capabilities),
        )
        model = await info.context.services.provider_models.update(
            info.context.require_caller(), input.id, change, input.expected_version
        )
        return ProviderModelPayload(provider_model=ProviderModel.of(model))

    @strawberry.mutation(
        description="Removes a provider's model and the backends that it stands behind.",
        extensions=[admins(TokenScope.CATALOG)],
    )
    async def delete_provider_model(self, info: Info, id: Id) -> DeletedPayload:
        await info.context.services.provider_models.delete(info.context.require_caller(), id)
        return deleted(id)

    @strawberry.mutation(
        description="Plans prices that come into force by themselves.", extensions=[admins(TokenScope.CATALOG)]
    )
    async def schedule_prices(self, info: Info, input: SchedulePrices) -> ProviderModelPayload:
        prices = (input.prices or PricesInput()).value()
        coming = ComingPrices(input.provider_model_id, input.starts_at, prices, input.free, input.own)
        model = await info.context.services.price_lists.schedule(
            info.context.require_caller(), coming, input.expected_version
        )
        return ProviderModelPayload(provider_model=ProviderModel.of(model))

    @strawberry.mutation(
        description="Takes back a price list that has not started.", extensions=[admins(TokenScope.CATALOG)]
    )
    async def withdraw_prices(self, info: Info, id: Id) -> ProviderModelPayload:
        model = await info.context.services.price_lists.withdraw(info.context.require_caller(), id)
        return ProviderModelPayload(provider_model=ProviderModel.of(model))
