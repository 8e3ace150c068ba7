"""Safer settings of services, each with its reason; lines that need no change stay as they are."""

import re


def sshd(text: str, *, root_attacked: bool) -> tuple[str, list[str]]:
    """Give sshd's configuration made safer. Directives before the first `Match` count."""
    wanted = {
        "MaxAuthTries": ("3", "passwords were tried in bursts: fewer tries per connection"),
        "LoginGraceTime": ("30", "passwords were tried in bursts: less time per connection"),
    }
    if root_attacked:
        wanted["PermitRootLogin"] = ("prohibit-password", "root was attacked: no root login by password")
    reasons = []
    for name, (value, reason) in wanted.items():
        changed = _directive(text, name, value)
        if changed != text:
            reasons.append(f"{name} {value}: {reason}")
        text = changed
    return text, reasons


def ftpd(text: str, *, logins: int) -> tuple[str, list[str]]:
    """Give vsftpd's configuration without anonymous logins."""
    line = "anonymous_enable=NO"
    found = re.search(r"^[ \t]*anonymous_enable[ \t]*=[^\r\n]*", text, re.MULTILINE)
    changed = text[: found.start()] + line + text[found.end() :] if found else _ended(text) + line + "\n"
    return changed, [f"{line}: {logins} anonymous FTP logins"]


def _directive(text: str, name: str, value: str) -> str:
    """Set a directive in the global part: in its place, in the place of its commented form, or at the end of it."""
    match = re.search(r"^\s*Match\s", text, re.MULTILINE | re.IGNORECASE)
    head, tail = (text[: match.start()], text[match.start() :]) if match else (text, "")
    for pattern in (rf"^[ \t]*{name}[ \t]+[^\r\n]*", rf"^[ \t]*#[ \t]*{name}[ \t]+[^\r\n]*"):
        found = re.search(pattern, head, re.MULTILINE | re.IGNORECASE)
        if found:
            if _stricter(name, found[0], value):
                return text
            return head[: found.start()] + f"{name} {value}" + head[found.end() :] + tail
    return _ended(head) + f"{name} {value}\n" + tail


def _stricter(name: str, line: str, value: str) -> bool:
    """Whether what stands there is as strict already."""
    if line.lstrip().startswith("#"):
        return False
    words = line.split()
    now = words[1].lower() if len(words) > 1 else ""
    if name == "PermitRootLogin":
        return now in ("no", "prohibit-password", "without-password", "forced-commands-only")
    return now.isdigit() and 0 < int(now) <= int(value)


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
