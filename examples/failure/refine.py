"""A draft is worked over until it is short enough; one that gets no shorter ends the loop at once."""

import asyncio

from stretto import Orchestrator, plan, pure, ref, task

LONG = "very very very long and very very winding"


@pure
def shorten(text: str) -> str:
    """Leave out the first word that says nothing."""
    return text.replace("very ", "", 1)


async def main() -> None:
    team = Orchestrator([shorten])
    for most in (25, 10):
        refine = plan(
            task(
                "draft",
                shorten,
                repeat={"max": 10, "until": f"size(output) <= {most}"},
                text=ref("previous", default=LONG),
            ),
            deliver=ref("draft"),
        )
        run = await team.run("Shorten the text", plan=refine)
        draft = run.as_json()["tasks"][0]
        print(f"at most {most}: {draft['status']} after {draft['rounds']} rounds - {run.answer or draft['reason']}")


asyncio.run(main())
