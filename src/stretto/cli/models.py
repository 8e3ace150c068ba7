"""`models`: which models can be used, what for, what they cost, and why the rest cannot."""

from typing import TYPE_CHECKING, Annotated

import typer

from stretto.cli.options import EXIT, JsonOption, ModelOption, WorkspaceOption, here_or, orchestrator
from stretto.cli.text import as_json as json_text
from stretto.cli.text import one_line

if TYPE_CHECKING:
    from decimal import Decimal

    from stretto.bootstrap import Orchestrator
    from stretto.models.survey import ModelStanding, ProviderStanding, Survey

CheckOption = Annotated[
    bool, typer.Option("--check", help="Ask each model that serves something for one short answer.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("models")(models)


def models(
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    check: CheckOption = False,
    as_json: JsonOption = False,
) -> None:
    """List providers, models and what serves each role; with --check ask each model that serves something."""
    import asyncio

    team = orchestrator(here_or(workspace), None, model=model)
    found = asyncio.run(_looked_at(team, check))
    if as_json:
        import msgspec

        typer.echo(json_text(msgspec.to_builtins(found)))
    else:
        _show(found, team.rules.unbounded)
    if check and not all(one.usable for one in found.models):
        raise typer.Exit(EXIT["failed"])


async def _looked_at(team: "Orchestrator", check: bool) -> "Survey":
    from stretto.models.survey import checked, survey

    found = await survey(team.models)
    return await checked(team.models, found) if check else found


def _show(found: "Survey", unbounded: str) -> None:
    typer.echo("providers")
    for provider in found.providers:
        typer.echo(f"  {provider.name:<12} {_standing(provider)}")
    typer.echo("roles")
    for role, names in found.roles.items():
        typer.echo(f"  {role:<12} {', then '.join(map(one_line, names)) or 'none'}")
    if not any(found.roles.values()):
        typer.echo(
            "  goals are planned by rules, and nothing asks a model; name one with --model, STRETTO_MODEL, or `models:`"
        )
    if found.models:
        typer.echo("models")
    for one in found.models:
        typer.echo(f"  {one_line(one.model)}  {'usable' if one.usable else f'not usable: {one_line(one.why)}'}")
        typer.echo(
            f"    for {', '.join((*one.roles, *one.names))}; window {one.window:,} tokens; {_price(one, unbounded)}"
        )
        if one.answer is not None:
            typer.echo(f"    it answered {one_line(one.answer)[:200]!r} for {one.cost}")


def _standing(provider: "ProviderStanding") -> str:
    if not provider.usable:
        return f"not usable: {one_line(provider.why)}"
    key = f", key from {provider.key}" if provider.key else ""
    return f"usable{key}{f', at {one_line(provider.address)}' if provider.address else ''}"


def _price(model: "ModelStanding", unbounded: str) -> str:
    if model.price is None:
        becomes = "it runs alone" if unbounded == "alone" else "it is refused"
        return f"price unknown, so under a budget of money {becomes}; give it with `price:`"
    price = model.price
    if not (price.input or price.output):
        return "free"
    cached = f", ${_amount(price.cached)} cached" if price.cached is not None and price.cached != price.input else ""
    return f"${_amount(price.input)} read, ${_amount(price.output)} written{cached}, for a million tokens"


def _amount(dollars: "Decimal") -> str:
    return f"{dollars.normalize():f}"
