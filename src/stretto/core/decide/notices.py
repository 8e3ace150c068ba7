"""What follows from sending an alert."""

from stretto.core.commands import NoticeSent
from stretto.core.decide.draft import Draft
from stretto.core.events import NoticeTried
from stretto.core.notices import PAUSES


def sent(draft: Draft, command: NoticeSent) -> None:
    """Take in through which channels an alert got; the others are tried again a few times."""
    alert = draft.state.notices.get(command.notice)
    if alert is None or alert.attempt != command.attempt:
        return
    again = bool(command.errors) and command.attempt <= len(PAUSES)
    until = draft.at + PAUSES[command.attempt - 1] if again else None
    draft.say(NoticeTried, notice=command.notice, attempt=command.attempt, errors=command.errors, until=until)
