"""Keys of providers: found in the environment or the keyring, shown nowhere."""

import os
import re
from collections.abc import Mapping

from pydantic import SecretStr

from stretto.models.definition import Definition
from stretto.models.reference import key_variables, needs_key

SERVICE = "stretto"
"""Under which keys lie in the keyring, each by the name of its provider."""

_SHORTEST = 6
_HEADER = re.compile(r"(?i)\b(bearer|x-api-key:?|api[-_]key[:=])\s+[^\s\"',}]{8,}")


def find_key(definition: Definition, environment: Mapping[str, str] = os.environ) -> SecretStr | None:
    """Give the key for a model: from its own variable, else its provider's variables, else the keyring.

    A model that names its variable gets no other key: one provider's key must not reach another.
    """
    if definition.key_env:
        value = environment.get(definition.key_env, "").strip()
        return SecretStr(value) if value else None
    if definition.model.url:
        return None
    for variable in key_variables(definition.model):
        if value := environment.get(variable, "").strip():
            return SecretStr(value)
    return _from_keyring(definition.model.provider) if needs_key(definition.model) else None


def where_keys_are(definition: Definition) -> str:
    """Say where a model's key is looked for."""
    if definition.key_env:
        return f"the variable {definition.key_env}"
    if definition.model.url or not needs_key(definition.model):
        return "a variable that the model's definition names with `key_env:`"
    variables = " or ".join(key_variables(definition.model))
    return f"the variable {variables}, or the keyring (`keyring set {SERVICE} {definition.model.provider}`)"


def redacted(text: str, *secrets: SecretStr | None) -> str:
    """Give a text without the keys, and without what looks like one behind the name of a header."""
    for secret in secrets:
        value = secret.get_secret_value() if secret is not None else ""
        if len(value) >= _SHORTEST:
            text = text.replace(value, "***")
    return _HEADER.sub(r"\1 ***", text)


def _from_keyring(provider: str) -> SecretStr | None:
    try:
        import keyring  # the extra `secrets`; slow to load
    except ImportError:
        return None
    try:
        found = keyring.get_password(SERVICE, provider)
    except Exception:  # backends raise errors of their own; one that is locked or missing holds no key for us
        return None
    return SecretStr(found) if found else None
