"""Which models can be used, and why the rest cannot: without asking any of them, unless that is wanted."""

import asyncio
import importlib.util
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from stretto.core.domain import FREE, Call, Called, Cost
from stretto.core.errors import UsageError
from stretto.models import local
from stretto.models.asking import ask
from stretto.models.definition import DEFAULT, ROLES, Definition, Price, resolve
from stretto.models.keys import find_key, where_keys_are
from stretto.models.prices import price_shown
from stretto.models.prompt import Message, Prompt
from stretto.models.provider import ProviderModel
from stretto.models.reference import (
    ADDRESS,
    LOCAL,
    PROVIDERS,
    Reference,
    address,
    key_variables,
    needs_key,
    requirement,
    shown,
)
from stretto.models.roster import ModelRoster
from stretto.ports import AgentFailure

PATIENCE = 2.0
"""Seconds in which an address has to take a connection."""
AGENTS = "agents"
"""Stands among the roles of a model that an agent names."""
QUESTION = Prompt(messages=(Message(role="user", text="Answer with one word: ready."),), most=1024)

_SDKS = {"anthropic": "anthropic", "google": "google.genai", "google-cloud": "google.genai"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStanding:
    """Whether a provider can be used; `why` says why not, with the mend. `key` says where its key was found."""

    name: str
    usable: bool
    why: str = ""
    key: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStanding:
    """Whether a model can be used, and for what: roles (`agents` where one names it), and the workspace's names for it.

    `price` is in dollars for a million tokens; None where nobody knows it, and then its cost has no bound. `answer` is
    what it said when it was asked, and `cost` what that cost.
    """

    model: str
    roles: tuple[str, ...]
    names: tuple[str, ...]
    usable: bool
    why: str
    window: int
    price: Price | None
    answer: str | None = None
    cost: Cost = FREE


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What can be used: providers, models that something names, and what serves each role, first choice first."""

    providers: tuple[ProviderStanding, ...]
    models: tuple[ModelStanding, ...]
    roles: dict[str, tuple[str, ...]]


async def survey(roster: ModelRoster, environment: Mapping[str, str] = os.environ) -> Survey:
    """Look at everything that can be seen without asking a model.

    Addresses that are the user's own are connected to, and nothing is sent; hosted ones are left alone.
    """
    named = _named(roster)
    known = [Definition(model=Reference(provider=name)) for name in PROVIDERS if name != ADDRESS]
    providers = await asyncio.gather(*(_provider(one, environment) for one in known))
    models = await asyncio.gather(*(_model(roster, one, *uses, environment) for one, uses in named.items()))
    roles: dict[str, tuple[str, ...]] = {
        role: tuple(str(one.model) for one in roster.definitions(role)) for role in ROLES
    }
    return Survey(providers=tuple(providers), models=tuple(models), roles=roles)


async def checked(roster: ModelRoster, found: Survey) -> Survey:
    """Ask each model that serves something, and can be used, for one short answer."""
    made = {(str(one.model), uses): roster.model(one) for one, uses in _named(roster).items()}
    asked = await asyncio.gather(*(_asked(one, made[one.model, (one.roles, one.names)]) for one in found.models))
    return replace(found, models=tuple(asked))


class _Unkept:
    """Makes calls that belong to no run. See `stretto.ports.Caller`."""

    async def call(self, call: Call, do: Callable[[], Awaitable[Called]]) -> Called:
        return await do()


async def _asked(standing: ModelStanding, model: ProviderModel) -> ModelStanding:
    if not standing.usable:
        return standing
    try:
        reply = await ask((model,), QUESTION, _Unkept(), key=f"check {standing.model}", role="worker")
    except AgentFailure as failure:
        return replace(standing, usable=False, why=str(failure))
    return replace(standing, answer=" ".join(reply.text.split()), cost=reply.cost)


def _named(roster: ModelRoster) -> dict[Definition, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Give every model that something names, with its roles and its names."""
    roles: dict[Definition, dict[str, None]] = {}
    names: dict[Definition, dict[str, None]] = {}
    for role in (*ROLES, DEFAULT):
        for one in roster.definitions(role):
            roles.setdefault(one, {})[role] = None
    for one in roster.asked_for:
        roles.setdefault(one, {})[AGENTS] = None
    for name in roster.spec.definitions:
        for one in resolve(roster.spec, name, name):
            names.setdefault(one, {})[name] = None
    return {one: (tuple(roles.get(one, ())), tuple(names.get(one, ()))) for one in dict.fromkeys([*roles, *names])}


async def _provider(definition: Definition, environment: Mapping[str, str]) -> ProviderStanding:
    why, place = await _why_not(definition, environment)
    name = definition.model.provider
    variables = [one for one in key_variables(definition.model) if environment.get(one, "").strip()]
    key = variables[0] if variables else ""
    if not key and key_variables(definition.model) and find_key(definition, environment) is not None:
        key = "keyring"
    return ProviderStanding(name=name, usable=not why, why=why, key=key, address=place)


async def _model(
    roster: ModelRoster,
    definition: Definition,
    roles: tuple[str, ...],
    names: tuple[str, ...],
    environment: Mapping[str, str],
) -> ModelStanding:
    why, _ = await _why_not(definition, environment)
    model = roster.model(definition)
    window, price = await asyncio.to_thread(lambda: (model.window, price_shown(definition)))
    return ModelStanding(
        model=model.name, roles=roles, names=names, usable=not why, why=why, window=window, price=price
    )


async def _why_not(definition: Definition, environment: Mapping[str, str]) -> tuple[str, str]:
    """Say why a model cannot be used, as far as shows without asking it; and where it would be asked."""
    reference = definition.model
    if reference.provider == LOCAL:
        return local.missing(), ""
    try:
        url = address(reference, environment)
    except UsageError as error:
        return str(error), ""
    place = shown(url) if url else ""
    sdk = _SDKS.get(reference.provider, "openai" if requirement(reference).startswith("stretto[") else "")
    if not _installed(["pydantic_ai", *([sdk] if sdk else [])]):
        return f"its client is not installed; install it with: pip install '{requirement(reference)}'", place
    wanted = needs_key(reference) or bool(definition.key_env)
    if wanted and await asyncio.to_thread(find_key, definition, environment) is None:
        return f"there is no key; put it into {where_keys_are(definition)}", place
    if not needs_key(reference) and url and not await _answers(url):
        return f"{place} does not answer; see that the server runs and that the address is right", place
    return "", place


def _installed(modules: Iterable[str]) -> bool:
    try:
        return all(importlib.util.find_spec(name) is not None for name in modules)
    except ModuleNotFoundError:  # the package that it would be in
        return False


async def _answers(url: str) -> bool:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
