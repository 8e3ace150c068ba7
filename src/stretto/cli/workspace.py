"""`workspace`: look a workspace over, and go back to an edition of it."""

from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from stretto.cli.options import EXIT_USAGE, JsonOption, StoreOption, WorkspaceOption, workspace_folder
from stretto.cli.text import as_json as json_text
from stretto.cli.text import clean, counted, local, one_line
from stretto.core.errors import UsageError

if TYPE_CHECKING:
    from stretto.editions import Editions, Entry

EditionArgument = Annotated[str, typer.Argument(metavar="EDITION", help="An edition's name, or its beginning.")]

group = typer.Typer(help="Look a workspace over, and go back to an edition of it.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("check")(check)
    group.command("history")(history)
    group.command("show")(show)
    group.command("rollback")(rollback)
    app.add_typer(group, name="workspace")


def check(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Check the whole of it: agents, every plan and playbook, channels. Nothing is run or kept."""
    from stretto.bootstrap.editions import Opening, defects

    folder = workspace_folder(workspace)
    try:
        team = Opening().standing(folder)
        wrong = list(defects(team))
    except UsageError as error:
        wrong = [str(error)]
    if as_json:
        typer.echo(json_text({"status": "refused" if wrong else "ok", "defects": wrong}))
    elif wrong:
        typer.echo("\n".join(map(clean, wrong)), err=True)
    else:
        typer.echo(f"ok: {counted(len(list(team.registry)), 'agent')}, {counted(len(team.playbooks), 'playbook')}")
    raise typer.Exit(EXIT_USAGE if wrong else 0)


def history(
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    limit: Annotated[int, typer.Option("--limit", metavar="NUMBER", min=1, help="How many at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the editions of a workspace, the newest first: when, who, what changed, adopted or refused and why."""
    from stretto.cli.editions import changed
    from stretto.views import EDITION_SHOWN

    found = _editions(workspace, store).history(limit)
    if as_json:
        typer.echo(json_text([_view(one) for one in found]))
        return
    for one in found:
        what = clean(f"{one.edition[:EDITION_SHOWN]}  {local(one.at)}  {one_line(one.who)}  {one.outcome}")
        typer.echo(f"{what}{one_line(changed(one.changes))}")
        for line in one.said.splitlines():
            typer.echo(clean(f"  {line}"))
    if not found:
        typer.echo("no edition is kept yet; `stretto run` and `stretto worker` keep what they work with")


def show(
    edition: EditionArgument,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    file: Annotated[Optional[str], typer.Option("--file", metavar="NAME", help="Print this file of it.")] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show how it differs from what stands in the folder.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show an edition: its files, one of them, or how it differs from what stands in the folder."""
    from stretto.editions import definition_of

    editions = _editions(workspace, store)
    name, contents = _contents(editions, edition)
    if file is not None:
        if file not in contents:
            raise UsageError(f"edition {name[:12]} has no file {file!r}; it has {', '.join(contents)}")
        typer.echo(clean(contents[file].decode(errors="replace")))
        return
    if diff:
        typer.echo(clean("".join(_diff(contents, definition_of(workspace_folder(workspace)).read()))))
        return
    if as_json:
        entries = [_view(one) for one in editions.history(_ALL) if one.edition == name]
        files = [{"name": one, "bytes": len(body)} for one, body in contents.items()]
        typer.echo(json_text({"edition": name, "files": files, "entries": entries}))
        return
    typer.echo(f"edition {name}")
    for one, body in contents.items():
        typer.echo(f"  {one_line(one)}  {len(body):,} bytes")


def rollback(edition: EditionArgument, workspace: WorkspaceOption = None, store: StoreOption = None) -> None:
    """Put the files of an edition back into the folder. What stands there is kept first, so nothing is lost."""
    from stretto.bootstrap import user
    from stretto.cli.editions import changed
    from stretto.editions.restoring import restore

    folder = workspace_folder(workspace)
    editions = _editions(workspace, store)
    name, _ = _contents(editions, edition)
    bad = next((one for one in editions.history(_ALL) if one.edition == name and one.outcome != "kept"), None)
    done = restore(editions, folder, name, who=f"person:{user()}")
    typer.echo(clean(f"the folder holds edition {name[:12]} again{changed(done.changes)}"))
    typer.echo(f"what stood there is edition {done.before[:12]}: stretto workspace rollback {done.before[:12]}")
    for one in done.outside:
        typer.echo(clean(f"left as it is, for it stands outside of the folder: {one}"), err=True)
    if bad is not None and bad.outcome == "refused":
        typer.echo(clean(f"it was refused before:\n{bad.said}"), err=True)


_ALL = 10_000


def _editions(workspace: Path | None, store: Path | None) -> "Editions":
    from stretto.editions import Editions

    folder = workspace_folder(workspace)
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}; `stretto init {folder}` makes a workspace")
    return Editions(folder, store)


def _contents(editions: "Editions", begins: str) -> tuple[str, dict[str, bytes]]:
    name = editions.find(begins)
    contents = editions.contents(name)
    if not contents:
        raise UsageError(f"edition {name[:12]} is in the history, and its files are not kept any more")
    return name, contents


def _diff(old: dict[str, bytes], new: dict[str, bytes]) -> list[str]:
    """Give how files differ, as `diff -u` does."""
    found: list[str] = []
    for name in sorted({*old, *new}):
        before, after = (one.get(name, b"").decode(errors="replace").splitlines(True) for one in (old, new))
        found += unified_diff(before, after, f"edition/{name}", f"folder/{name}")
    return [one if one.endswith("\n") else f"{one}\n" for one in found]


def _view(one: "Entry") -> dict[str, Any]:
    from stretto.views import moment

    changes = None if one.changes is None else [{"name": file.name, "how": file.how} for file in one.changes]
    return {
        "edition": one.edition,
        "at": moment(one.at),
        "who": one.who,
        "outcome": one.outcome,
        "before": one.before or None,
        "changes": changes,
        "said": one.said or None,
    }
