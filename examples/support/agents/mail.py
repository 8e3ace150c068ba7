"""Sends answers: into a local mail folder (Maildir), each once. Another program takes them from there."""

import hashlib
import os
from email.message import EmailMessage
from pathlib import Path

from desk import Draft

from stretto import Assignment, irreversible
from stretto.core.domain import Preview

SENDER = "Fernwood Outdoor <help@fernwood.example>"


def show(draft: Draft, folder: str, work: Assignment) -> Preview:
    """Show the mail as it would go out."""
    head = [f"{name}: {value}" for name, value in _mail(draft, work.key).items() if name in ("From", "To", "Subject")]
    return Preview(diff="\n".join(f"+{line}" for line in [*head, "", *draft.body.splitlines()]))


def find(draft: Draft, folder: str, work: Assignment) -> str | None:
    """Tell whether the mail of this key went out."""
    box = Path(folder)
    return _id(work.key) if any((box / part / _name(work.key)).exists() for part in ("new", "cur")) else None


@irreversible(preview=show, lookup=find)
def send(draft: Draft, folder: str, work: Assignment) -> str:
    """Send an answer, once: the mail is written whole and then moved into the folder. Gives its Message-ID."""
    place = Path(folder)
    for part in ("tmp", "new", "cur"):
        (place / part).mkdir(exist_ok=True)
    if find(draft, folder, work) is None:
        written = place / "tmp" / _name(work.key)
        with written.open("wb") as file:
            file.write(bytes(_mail(draft, work.key)))
            file.flush()
            os.fsync(file.fileno())
        written.rename(place / "new" / _name(work.key))
    return _id(work.key)


def _mail(draft: Draft, key: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = SENDER, draft.to, " ".join(draft.subject.split())
    mail["Message-ID"] = _id(key)
    if draft.reply_to:
        mail["In-Reply-To"] = " ".join(draft.reply_to.split())
    mail.set_content(draft.body)
    return mail


def _name(key: str) -> str:
    return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.fernwood"


def _id(key: str) -> str:
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@fernwood.example>"
