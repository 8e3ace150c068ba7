"""Files: what runs made, and what is handed in for them."""

import asyncio
import re
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Query, Request
from starlette.responses import Response

from stretto.core.domain import Artifact
from stretto.servers.http.asking import Here, artifact_address, router, told
from stretto.servers.http.problems import Problem
from stretto.servers.http.rendering import Answer
from stretto.views import artifact_bytes, artifacts_of

routes = router("files")

MOST_UPLOADS = 8
"""Files that are taken in at once: each is in memory meanwhile."""
SECONDS = 120.0
"""How long a file may take to come in."""
_UPLOADING = asyncio.Semaphore(MOST_UPLOADS)
_MEDIA: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,80}/[a-z0-9][a-z0-9!#$&^_.+-]{0,80}")
_ACTIVE: Final = re.compile(r"html|xml|svg|script|pdf|shockwave")
"""What a browser might run or follow; it is handed out as bytes that mean nothing."""


@routes.get("/runs/{run}/artifacts", summary="List the files that a run made")
async def artifacts(run: str, here: Here) -> Response:
    """Give the files of accepted results, in the order of the plan, each with its address."""
    state = await here.desk.run(here.who, run)
    return told(
        here.kept,
        state,
        "artifacts",
        lambda: {
            "artifacts": [
                {
                    "task": task,
                    "name": one.name,
                    "media": one.media,
                    "bytes": len(artifact_bytes(one)),
                    "path": artifact_address(run, task, one.name),
                }
                for task, one in artifacts_of(state)
            ]
        },
    )


@routes.get("/runs/{run}/artifacts/{task}/{name:path}", summary="Take a file that a run made")
async def artifact(run: str, task: str, name: str, here: Here) -> Response:
    """Give a file by exactly the names that the run knows it by, out of the journal, always as one to be saved."""
    return _saved(await here.desk.artifact(here.who, run, task, name))


@routes.get("/runs/{run}/artifacts/{task}", summary="Take a file of any name that a run made")
async def artifact_named(
    run: str, task: str, here: Here, name: Annotated[str, Query(description="What the run calls it.")]
) -> Response:
    """Give a file as the route with its name in the path does, for names that no path can hold."""
    return _saved(await here.desk.artifact(here.who, run, task, name))


@routes.post("/files", status_code=201, summary="Hand in a file")
async def upload(
    request: Request,
    here: Here,
    name: Annotated[str, Query(min_length=1, max_length=255, description="What it is called.")],
) -> Response:
    """Keep the body as a file, of 32 MB at most; `path` is how inputs name it."""
    if _UPLOADING.locked():
        raise Problem(
            status=503,
            code="busy",
            message="too many files come in at once",
            mend="try again",
            headers={"Retry-After": "2"},
        )
    async with _UPLOADING:
        try:
            async with asyncio.timeout(SECONDS):
                content = await request.body()
        except TimeoutError:
            raise Problem(status=408, code="too_slow", message=f"the file took more than {SECONDS:g} s") from None
        return Answer({"path": await here.desk.upload(here.who, name, content), "bytes": len(content)}, 201)


def _saved(artifact: Artifact) -> Response:
    """Answer with a file that a browser saves and neither shows nor runs."""
    media = artifact.media.lower().partition(";")[0].strip()
    known = _MEDIA.fullmatch(media) and not _ACTIVE.search(media)
    return Response(
        artifact_bytes(artifact),
        media_type=media if known else "application/octet-stream",
        headers={"Content-Disposition": _disposition(artifact.name)},
    )


def _disposition(name: str) -> str:
    """Say that a file is to be saved, and as what. Source: RFC 6266, with RFC 8187 for names beyond ASCII."""
    last = name.replace("\\", "/").rpartition("/")[2] or "artifact"
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", last).strip(". ") or "artifact"
    return f"attachment; filename=\"{plain[:150]}\"; filename*=UTF-8''{quote(last[:150], safe='')}"
