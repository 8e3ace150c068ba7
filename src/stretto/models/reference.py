"""References to models: `openai:gpt-5-mini`, `ollama:llama3.2`, `http://127.0.0.1:8000/v1#NAME`, `local`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from stretto.core.errors import UsageError
from stretto.core.plan.names import Names

LOCAL: Final = "local"
"""The small model that needs no provider."""
ADDRESS: Final = "address"
"""The provider of models at an OpenAI-compatible address without a name of its own."""

_OLLAMA_PORT = 11434
_NAME = re.compile(r"[^\s\x00-\x1f]{1,200}")
_PROVIDER = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who serves models: the variables that may hold its key, and its address, as far as they are known here.

    `address_env` names the variable that may give another address; `extra` is the extra of Stretto that brings its
    client; `needs_key` says that it answers nobody without a key, `own` that its models run on the user's machines
    and cost nothing.
    """

    name: str
    keys: tuple[str, ...] = ()
    url: str = ""
    address_env: tuple[str, ...] = ()
    extra: str = "openai"
    needs_key: bool = True
    own: bool = False


PROVIDERS: Mapping[str, Provider] = {
    one.name: one
    for one in (
        Provider(
            name="anthropic",
            keys=("ANTHROPIC_API_KEY",),
            url="https://api.anthropic.com",
            address_env=("ANTHROPIC_BASE_URL",),
            extra="anthropic",
        ),
        Provider(
            name="openai",
            keys=("OPENAI_API_KEY",),
            url="https://api.openai.com/v1",
            address_env=("OPENAI_BASE_URL",),
        ),
        Provider(
            name="google",
            keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
            url="https://generativelanguage.googleapis.com",
            address_env=("GOOGLE_GEMINI_BASE_URL",),
            extra="google",
        ),
        Provider(
            name="ollama",
            keys=("OLLAMA_API_KEY",),
            url=f"http://127.0.0.1:{_OLLAMA_PORT}/v1",
            address_env=("OLLAMA_BASE_URL", "OLLAMA_HOST"),
            needs_key=False,
            own=True,
        ),
        Provider(
            name="vllm",
            keys=("VLLM_API_KEY",),
            url="http://127.0.0.1:8000/v1",
            address_env=("VLLM_BASE_URL",),
            needs_key=False,
            own=True,
        ),
        Provider(name=LOCAL, extra=LOCAL, needs_key=False, own=True),
        Provider(name=ADDRESS, needs_key=False),
    )
}
"""The providers that Stretto knows by itself. The client library knows more; see `OTHERS`."""

OTHERS: Mapping[str, tuple[str, ...]] = {
    "alibaba": ("ALIBABA_API_KEY", "DASHSCOPE_API_KEY"),
    "azure": ("AZURE_OPENAI_API_KEY",),
    "azure-responses": ("AZURE_OPENAI_API_KEY",),
    "bedrock": ("AWS_BEARER_TOKEN_BEDROCK",),
    "cerebras": ("CEREBRAS_API_KEY",),
    "cohere": ("CO_API_KEY",),
    "crusoe": ("CRUSOE_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "fireworks": ("FIREWORKS_API_KEY",),
    "github": ("GITHUB_API_KEY",),
    "google-cloud": ("GOOGLE_API_KEY",),
    "groq": ("GROQ_API_KEY",),
    "heroku": ("HEROKU_INFERENCE_KEY",),
    "huggingface": ("HF_TOKEN",),
    "litellm": (),
    "meta": ("META_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "moonshotai": ("MOONSHOTAI_API_KEY",),
    "nebius": ("NEBIUS_API_KEY",),
    "openai-responses": ("OPENAI_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "ovhcloud": ("OVHCLOUD_API_KEY",),
    "sambanova": ("SAMBANOVA_API_KEY",),
    "together": ("TOGETHER_API_KEY",),
    "vercel": ("VERCEL_AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"),
    "xai": ("XAI_API_KEY",),
    "zai": ("ZAI_API_KEY",),
}
"""Providers that only the client library knows, with the variables of their keys."""

_SDKS = {"bedrock", "cohere", "groq", "huggingface", "mistral", "xai"}
"""Of the others, those whose client comes with an extra of the client library of the same name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A model of a provider, by name; `url` is the address where it is not the provider's own."""

    provider: str
    name: str = ""
    url: str = ""

    def __str__(self) -> str:
        if self.provider == LOCAL:
            return LOCAL
        if self.provider == ADDRESS:
            return f"{self.url}#{self.name}"
        return f"{self.provider}:{self.name}"


def is_reference(text: str) -> bool:
    """Whether a text is meant as a reference, right or wrong, and not as a name that a workspace defines."""
    return text == LOCAL or ":" in text


def read_reference(text: str, *, url: str = "") -> Reference:
    """Read a reference; with `url`, that of a model at this address, where a bare name will do.

    Raises UsageError for one that cannot be read, with what may be meant.
    """
    if url:
        return _at(text, address_of(url))
    if text == LOCAL:
        return Reference(provider=LOCAL)
    if text.startswith(("http://", "https://")):
        address, hash_, name = text.partition("#")
        if not hash_ or not _NAME.fullmatch(name):
            raise UsageError(f"{shown(text)} names no model at this address; write it behind: {shown(address)}#NAME")
        return Reference(provider=ADDRESS, name=name, url=address_of(address))
    provider, colon, name = text.partition(":")
    if not colon:
        raise UsageError(f"{text!r} names no model; write PROVIDER:NAME, like openai:gpt-5-mini, or `local`")
    if provider == LOCAL:
        raise UsageError(f"{text!r}: the local model has no other name; write `local`")
    if provider == ADDRESS or (provider not in PROVIDERS and provider not in OTHERS):
        mend = Names(lambda: [one for one in (*PROVIDERS, *OTHERS) if one != ADDRESS]).mend(provider)
        raise UsageError(f"there is no provider {provider!r} of models ({text!r}). {mend}")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{text!r} names no model of {provider}; write {provider}:NAME")
    return Reference(provider=provider, name=name)


def _at(text: str, url: str) -> Reference:
    provider, colon, name = text.partition(":")
    known = colon and (provider in PROVIDERS or provider in OTHERS) and provider not in (LOCAL, ADDRESS)
    if not _NAME.fullmatch(name if known else text):
        raise UsageError(f"{text!r} is no name of a model")
    if known:
        return Reference(provider=provider, name=name, url=url)
    return Reference(provider=ADDRESS, name=text, url=url)


def address_of(text: str) -> str:
    """Check an address and give it without a slash at its end.

    It has no user, password, query or fragment: a key would be shown with it. Raises UsageError.
    """
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or re.search(r"\s", text):
        raise UsageError(f"{shown(text)} is no address; write it like http://127.0.0.1:8000/v1")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise UsageError(
            f"the address {shown(text)} holds more than a host and a path; keys belong into a variable (`key_env:`)"
        )
    return text.rstrip("/")


def shown(url: str) -> str:
    """Give what may be shown of an address: user, password, query and fragment may be secret."""
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the address"
    return f"{parts.scheme}://{host}{port}{parts.path}" if parts.scheme in ("http", "https") else repr(url)


def key_variables(reference: Reference) -> tuple[str, ...]:
    """Give the variables that may hold the key of a model's provider."""
    known = PROVIDERS.get(reference.provider)
    return known.keys if known is not None else OTHERS[reference.provider]


def needs_key(reference: Reference) -> bool:
    """Whether the provider answers nobody without a key, as far as that is known.

    At an address that the user named that is up to whoever answers there.
    """
    if reference.url:
        return False
    known = PROVIDERS.get(reference.provider)
    return known.needs_key if known is not None else reference.provider not in ("bedrock", "google-cloud", "litellm")


def requirement(reference: Reference) -> str:
    """Give what has to be installed for a model, as `pip install` takes it."""
    known = PROVIDERS.get(reference.provider)
    if known is not None:
        return f"stretto[{known.extra}]"
    if reference.provider in _SDKS:
        return f"pydantic-ai-slim[{reference.provider}]"
    return "stretto[google]" if reference.provider == "google-cloud" else "stretto[openai]"


def address(reference: Reference, environment: Mapping[str, str]) -> str:
    """Give where a model is asked: its own address, that of the environment, or its provider's; empty if unknown."""
    if reference.url:
        return reference.url
    known = PROVIDERS.get(reference.provider)
    if known is None:
        return ""
    for variable in known.address_env:
        if value := environment.get(variable, "").strip():
            try:
                return ollama_address(value) if variable == "OLLAMA_HOST" else address_of(value)
            except UsageError as error:
                raise UsageError(f"{variable}: {error}") from None
    return known.url


def ollama_address(host: str) -> str:
    """Give the address of Ollama from its variable OLLAMA_HOST: `[scheme://]host[:port]`, either part may be missing.

    Source: Ollama's `envconfig.Host`; 0.0.0.0 and :: are where a server listens, and are asked on the loopback.
    """
    scheme, separator, rest = host.strip().strip("\"'").partition("://")
    if not separator:
        scheme, rest = "http", scheme
    usual = {"http": 80, "https": 443}.get(scheme, _OLLAMA_PORT) if separator else _OLLAMA_PORT
    place, slash, path = rest.partition("/")
    if place.count(":") > 1 and not place.startswith("["):
        place = f"[{place}]"
    address = address_of(f"{scheme}://{place if not place.startswith(':') else f'127.0.0.1{place}'}{slash}{path}")
    parts = urlsplit(address)
    name = "127.0.0.1" if parts.hostname in ("0.0.0.0", "::") else parts.hostname or ""  # noqa: S104 - compared
    name = f"[{name}]" if ":" in name else name
    tail = parts.path if parts.path.endswith("/v1") else f"{parts.path}/v1"
    return f"{scheme}://{name}:{parts.port or usual}{tail}"
