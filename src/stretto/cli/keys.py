"""`keys`: who may use the server, as what, in which workspaces, and until when."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from stretto.cli.options import JsonOption, StoreOption, WorkspaceOption, here_or, store_file
from stretto.cli.text import as_json as json_text
from stretto.cli.text import local, one_line

if TYPE_CHECKING:
    from stretto.access.keys import ApiKey


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Keys to the server: who may do what.")
    group.command("add")(add)
    group.command("list")(list_)
    group.command("revoke")(revoke)
    app.add_typer(group, name="keys")


def add(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Whose it is: what they do is done by `person:NAME`, and so noted.")
    ],
    roles: Annotated[
        Optional[list[str]],
        typer.Option("--role", metavar="ROLE", help="viewer, operator, approver or admin. Repeatable."),
    ] = None,
    scopes: Annotated[
        Optional[list[str]],
        typer.Option(
            "--workspace",
            metavar="NAME|all",
            help="A workspace that it is for, by name or folder (default: the one at hand). Repeatable.",
        ),
    ] = None,
    expires: Annotated[
        Optional[str], typer.Option("--expires", metavar="WHEN", help="When it ends, as 90d or 2030-12-31.")
    ] = None,
    folder: Annotated[
        Optional[Path],
        typer.Option("-w", metavar="FOLDER", help="The workspace's folder, whose store it is for (default: this one)."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it, this once; only a hash of it is kept."""
    from stretto.access.keys import key_view, read_end, read_name, read_roles, read_workspaces
    from stretto.amounts import deadline_of
    from stretto.bootstrap import open_access

    now = time.time()
    whose, granted = read_name(name), read_roles(roles or ())
    reach = read_workspaces(scopes or [_at_hand(folder)])
    until = read_end(deadline_of(expires, now) if expires is not None else None, now)
    file = store_file(folder, store)

    async def make() -> "tuple[ApiKey, str]":
        async with open_access(file) as book:
            made = await book.add_key(whose, roles=granted, workspaces=reach, expires=until)
            return made.key, made.text

    key, text = asyncio.run(make())
    if as_json:
        typer.echo(json_text({"key": text, **key_view(key, now)}))
    else:
        typer.echo(text)
    typer.echo(f"stretto: a key for {_described(key)}; it is shown this once, so keep it safe", err=True)


def list_(workspace: WorkspaceOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the keys, the oldest first, also those that open nothing any more."""
    from stretto.access.book import access_file
    from stretto.access.keys import key_view
    from stretto.bootstrap import open_access

    file = store_file(workspace, store)

    async def look() -> "list[ApiKey]":
        async with open_access(file) as book:
            return list(await book.keys())

    found, now = asyncio.run(look()) if access_file(file).exists() else [], time.time()
    if as_json:
        typer.echo(json_text([key_view(one, now) for one in found]))
    elif not found:
        typer.echo("no keys yet; `stretto keys add NAME --role ROLE` makes one")
    else:
        _print(found, now)


def revoke(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Its id, as `list` shows it; or the whole key.")],
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a key at once, and every session that came in with it."""
    from stretto.access.book import access_file
    from stretto.access.keys import key_view
    from stretto.access.tokens import read_token
    from stretto.bootstrap import open_access
    from stretto.core.errors import UsageError

    file, token = store_file(workspace, store), read_token("stretto", id_)
    if not access_file(file).exists():
        raise UsageError(f"there are no keys to {file} yet; `stretto keys add NAME --role ROLE` makes one")

    async def end() -> "ApiKey":
        async with open_access(file) as book:
            return await book.revoke(id_ if token is None else token.id)

    key = asyncio.run(end())
    if as_json:
        typer.echo(json_text(key_view(key, time.time())))
    else:
        typer.echo(f"{_described(key)}: revoked {local(key.revoked or 0)}, and with it its sessions")


def _at_hand(folder: Path | None) -> str:
    """Give the name of the workspace at hand, and `all` where there is none: then the store is all there is."""
    from stretto.workspace import read_workspace

    here = here_or(folder)
    return read_workspace(here).name if here is not None else "all"


def _described(key: "ApiKey") -> str:
    reach = "all workspaces" if "*" in key.workspaces else ", ".join(map(one_line, sorted(key.workspaces)))
    ends = f"until {local(key.expires)}" if key.expires is not None else "without an end"
    return f"{one_line(key.name)} ({', '.join(sorted(key.roles))}), {key.id}, in {reach}, {ends}"


def _print(found: "list[ApiKey]", now: float) -> None:
    from stretto.cli.view.lines import foreign
    from stretto.cli.view.printing import signs_of, width_for, write
    from stretto.cli.view.tables import columns

    signs = signs_of()
    cells = [
        [
            (one.id, "dim"),
            (foreign(one.name, signs), "bold"),
            (", ".join(sorted(one.roles)), ""),
            ("all" if "*" in one.workspaces else foreign(", ".join(sorted(one.workspaces)), signs), ""),
            (local(one.created), ""),
            (local(one.used) if one.used is not None else "never", ""),
            (_ends(one, now), "" if one.standing(now) == "valid" else "yellow"),
        ]
        for one in found
    ]
    write(columns(("id", "name", "roles", "workspaces", "made", "used", "ends"), cells, width_for(), signs))


def _ends(key: "ApiKey", now: float) -> str:
    if key.revoked is not None:
        return f"revoked {local(key.revoked)}"
    if key.expires is None:
        return "never"
    return f"{'' if key.standing(now) == 'valid' else 'expired '}{local(key.expires)}"
