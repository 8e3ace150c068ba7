"""Notifiers from what a workspace says under `notify:`."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping

from stretto.channels import Mail, Terminal, Transport, Webhook, read_channel
from stretto.core.domain import Json
from stretto.core.errors import BadChannel, UsageError
from stretto.notifiers.dispatching import Filtered
from stretto.notifiers.terminal import TerminalNotifier
from stretto.ports import Notifier


def notifiers_of(
    entries: Iterable[Mapping[str, Json] | str], environ: Mapping[str, str] = os.environ
) -> tuple[Notifier, ...]:
    """Give a notifier for each entry, in their order, with the secrets that the environment holds by now.

    Raises UsageError with entry, field and mend, also where the environment has no such variable: no notice is sent
    unsigned, or without a login, that should have been.
    """
    found: list[Notifier] = []
    names: Counter[str] = Counter()
    for number, entry in enumerate(entries):
        try:
            channel = read_channel(entry)
            names[channel.transport.name] += 1
            notifier = _notifier(_numbered(channel.transport.name, names), channel.transport, environ)
        except BadChannel as error:
            place = f"notify[{number}]" + (f".{error.field}" if error.field else "")
            raise UsageError(f"{place}: {error.problem}") from None
        found.append(Filtered(channel=channel, notifier=notifier))
    return tuple(found)


def _numbered(name: str, taken: Counter[str]) -> str:
    return name if taken[name] == 1 else f"{name} ({taken[name]})"


def _notifier(name: str, transport: Transport, environ: Mapping[str, str]) -> Notifier:
    match transport:
        case Terminal():
            return TerminalNotifier(name=name, settings=transport)
        case Webhook():
            from stretto.notifiers.webhook import WebhookNotifier  # loads httpx: only for those who have a webhook

            secret = _variable(environ, "secret_env", transport.secret_env)
            return WebhookNotifier(name=name, settings=transport, secret=secret)
        case Mail():
            from stretto.notifiers.mail import MailNotifier  # loads the mail library: only for those who have a mail

            user = _variable(environ, "user_env", transport.user_env)
            password = _variable(environ, "password_env", transport.password_env)
            for field, value in (("user_env", user), ("password_env", password)):
                if not value.isascii():
                    raise BadChannel(field, "the variable holds letters beyond ASCII, which no mail login takes")
            return MailNotifier(name=name, settings=transport, user=user, password=password)


def _variable(environ: Mapping[str, str], field: str, name: str) -> str:
    """Give the value of a variable, or nothing where none is named; raises BadChannel where it is missing or empty."""
    if not name:
        return ""
    value = environ.get(name, "")
    if not value:
        raise BadChannel(
            field, f"the environment has no variable {name}, or it is empty; set it, or leave the field out"
        )
    return value
