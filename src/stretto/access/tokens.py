"""Secrets that open doors: 256 random bits with an id, shown once and kept as a salted hash.

The hash is fast on purpose. A slow one (scrypt, Argon2) protects passwords, because people choose what can be guessed;
nobody guesses 256 random bits however fast the hash, and a slow one would let anybody keep the server busy with wrong
keys. NIST SP 800-63B, 5.1.2.2, asks for a slow hash only below 112 bits.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["stretto", "session"]

_ID_BYTES = 8
_SECRET_BYTES = 32
_SALT_BYTES = 16
_FORM = re.compile(rf"(stretto|session)_([0-9a-f]{{{2 * _ID_BYTES}}})_([0-9a-f]{{{2 * _SECRET_BYTES}}})", re.ASCII)
_CSRF = re.compile(rf"([0-9a-f]{{{2 * _SALT_BYTES}}})([0-9a-f]{{64}})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The key of a person or program (`stretto_ID_SECRET`), or the token of a browser's session (`session_...`)."""

    kind: Kind
    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The whole, as it is shown once."""
        return f"{self.kind}_{self.id}_{self.secret}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What is kept of a token: enough to know it again, and nothing to make it from."""

    salt: bytes
    hash: bytes


UNKNOWN = Seal(salt=bytes(_SALT_BYTES), hash=bytes(hashlib.sha256().digest_size))
"""What a token is held against that has no seal, so that this takes as long as any other."""


def new_token(kind: Kind) -> Token:
    """Give a token that nobody has seen before."""
    return Token(kind=kind, id=secrets.token_hex(_ID_BYTES), secret=secrets.token_hex(_SECRET_BYTES))


def read_token(kind: Kind, text: str) -> Token | None:
    """Read a token of this kind; None for anything else, however long."""
    found = _FORM.fullmatch(text)
    return Token(kind=kind, id=found[2], secret=found[3]) if found is not None and found[1] == kind else None


def seal(token: Token) -> Seal:
    """Give what to keep of a token."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return Seal(salt=salt, hash=_hash(salt, token))


def is_sealed(token: Token, kept: Seal) -> bool:
    """Tell whether this is the token that was sealed. How long it takes tells nothing about the secret."""
    return hmac.compare_digest(_hash(kept.salt, token), kept.hash)


def csrf_token(session: str) -> str:
    """Give a token for the forms of a session, another each time: a salt, and its HMAC with the session's token as key.

    Only who has the session's token can make or check one, so nothing is kept of it and any process may check it. The
    salt keeps it from being guessed from the size of compressed pages. Source: the HMAC-based token of the OWASP
    Cross-Site Request Forgery Prevention Cheat Sheet.
    """
    salt = secrets.token_hex(_SALT_BYTES)
    return salt + _mac(session, salt)


def is_csrf_token(session: str, given: str) -> bool:
    """Tell whether this was made by `csrf_token` for the same session."""
    found = _CSRF.fullmatch(given)
    return found is not None and hmac.compare_digest(_mac(session, found[1]), found[2])


def _hash(salt: bytes, token: Token) -> bytes:
    return hashlib.sha256(salt + token.text.encode()).digest()


def _mac(session: str, salt: str) -> str:
    return hmac.new(session.encode(errors="replace"), f"csrf {salt}".encode(), "sha256").hexdigest()
