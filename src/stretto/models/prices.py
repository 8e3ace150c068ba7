"""What models cost: as the workspace says, as the price list says, or unknown."""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

from stretto.channels import is_loopback
from stretto.core.domain import Usage
from stretto.models.definition import Definition, Price
from stretto.models.reference import ADDRESS, LOCAL, PROVIDERS, Reference

_MILLION = Decimal(1_000_000)
FREE = Price(input=Decimal(0), output=Decimal(0))


class Tariff(Protocol):
    """Gives what some tokens cost."""

    def __call__(self, usage: Usage) -> Decimal: ...


def cost_at(price: Price, usage: Usage) -> Decimal:
    """Give what tokens cost at a price, in dollars."""
    cached = price.cached if price.cached is not None else price.input
    read = (usage.input - usage.cached) * price.input + usage.cached * cached
    return (read + usage.output * price.output) / _MILLION


def tariff_of(definition: Definition) -> Tariff | None:
    """Give what a model costs; None where nobody knows.

    Its own price holds first. What runs on the user's machines is free; the rest is as the price list of the client
    library says (genai-prices), which ships with it and is asked of nobody.
    """
    price = definition.price or (FREE if is_own(definition.model) else None)
    if price is not None:
        return lambda usage: cost_at(price, usage)
    return _listed(definition.model)


def is_own(reference: Reference) -> bool:
    """Whether a model runs on the user's own machines, as far as can be seen: nobody bills it by the token."""
    if reference.url:
        from urllib.parse import urlsplit

        return is_loopback(urlsplit(reference.url).hostname or "")
    known = PROVIDERS.get(reference.provider)
    return known is not None and known.own


def price_shown(definition: Definition) -> Price | None:
    """Give the price of a model for people: what a thousand tokens cost by its tariff, reckoned up; None if unknown."""
    tariff = tariff_of(definition)
    if tariff is None:
        return None
    per_million = {
        "input": tariff(Usage(input=1000)) * 1000,
        "output": tariff(Usage(output=1000)) * 1000,
        "cached": tariff(Usage(input=1000, cached=1000)) * 1000,
    }
    return Price(**per_million)


def listed_window(reference: Reference) -> int | None:
    """Give a model's window by the price list, in tokens; None where it is not in it."""
    found = _find(reference)
    window = found.context_window if found is not None else None
    return int(window) if window else None


def _listed(reference: Reference) -> Tariff | None:
    if _find(reference) is None:
        return None
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    def cost(usage: Usage) -> Decimal:
        tokens = Tokens(input_tokens=usage.input, output_tokens=usage.output, cache_read_tokens=usage.cached)
        return calc_price(tokens, reference.name, **_place(reference)).total_price

    return cost


@lru_cache(maxsize=256)
def _find(reference: Reference) -> Any:
    """Give the entry of the price list, or None; that of a model at an address is found by the address."""
    if reference.provider == LOCAL:
        return None
    try:
        from genai_prices.data_snapshot import get_snapshot  # loads the list, some 0.5 s
    except ImportError:
        return None
    find: Callable[..., Any] = get_snapshot().find_provider_model
    place = {"provider_id": None, "provider_api_url": None, **_place(reference)}
    try:
        _, model = find(reference.name, provider=None, **place)
    except LookupError:
        return None
    return model


def _place(reference: Reference) -> dict[str, Any]:
    if reference.provider == ADDRESS or reference.url:
        return {"provider_api_url": reference.url}
    return {
        "provider_id": {"openai-responses": "openai", "google-cloud": "google"}.get(
            reference.provider, reference.provider
        )
    }
