"""References and definitions as people write them: what each means, and what is said of those that mean nothing."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stretto import Orchestrator
from stretto.core.domain import Rate, Usage
from stretto.core.errors import BadWorkspace, UsageError
from stretto.models.definition import BadModel, Price, chosen, models_of, resolve
from stretto.models.prices import cost_at
from stretto.models.reference import address, ollama_address, read_reference
from stretto.models.roster import ModelRoster
from stretto.settings import Settings
from stretto.workspace import read_workspace


@pytest.mark.parametrize(
    ("text", "provider", "name", "url"),
    [
        ("openai:gpt-5-mini", "openai", "gpt-5-mini", ""),
        ("ollama:llama3.2:3b", "ollama", "llama3.2:3b", ""),
        ("vllm:Qwen/Qwen3-8B", "vllm", "Qwen/Qwen3-8B", ""),
        ("groq:llama-3.3-70b", "groq", "llama-3.3-70b", ""),
        ("local", "local", "", ""),
        ("http://127.0.0.1:8000/v1#small", "address", "small", "http://127.0.0.1:8000/v1"),
        ("https://models.example.org/v1/#a/b#c", "address", "a/b#c", "https://models.example.org/v1"),
    ],
)
def test_a_reference_names_a_model_of_a_provider(text: str, provider: str, name: str, url: str) -> None:
    found = read_reference(text)
    assert (found.provider, found.name, found.url) == (provider, name, url)
    assert read_reference(str(found)) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("opnai:gpt-5", "no provider 'opnai' of models.*Did you mean 'openai'"),
        ("gpt-5", "write PROVIDER:NAME"),
        ("openai:", "names no model of openai"),
        ("local:small", "write `local`"),
        ("http://127.0.0.1:8000/v1", "names no model at this address"),
        ("http://user:planted@host/v1#m", "holds more than a host and a path"),
        ("http://host/v1?key=planted#m", "holds more than a host and a path"),
        ("http://:99999/v1#m", "no address"),
        ("address:m", "no provider 'address'"),
    ],
)
def test_a_reference_that_cannot_be_read_is_told_with_the_mend_and_without_secrets(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as told:
        read_reference(text)
    assert "planted" not in str(told.value)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", ""),
        ("127.0.0.1", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),  # noqa: S104
        ("0.0.0.0:8080", "http://127.0.0.1:8080/v1"),
        (":8080", "http://127.0.0.1:8080/v1"),
        ("gpu.lan", "http://gpu.lan:11434/v1"),
        ("https://ollama.example.org", "https://ollama.example.org:443/v1"),
        ("http://gpu.lan:9/", "http://gpu.lan:9/v1"),
        ("http://gpu.lan:9/ollama", "http://gpu.lan:9/ollama/v1"),
        ("[::1]:9", "http://[::1]:9/v1"),
    ],
)
def test_ollama_is_found_where_its_own_variable_says(host: str, url: str) -> None:
    if host:
        assert ollama_address(host) == url
    found = address(read_reference("ollama:llama3.2"), {"OLLAMA_HOST": host})
    assert found == (url or "http://127.0.0.1:11434/v1")


def test_a_definition_says_how_a_model_is_used() -> None:
    spec = models_of(
        {
            "planner": ["strong", "local"],
            "default": "cheap",
            "strong": {
                "model": "openai:gpt-5",
                "key_env": "TEAM_KEY",
                "price": {"input": 1.25, "output": "$10", "cached": 0.125},
                "window": 100_000,
                "max_tokens": 4000,
                "temperature": 0,
                "constrains": True,
                "concurrency": 4,
                "rate": "60/min, 90000 tokens/min",
                "timeout": "2m",
                "perimeter": ["public"],
            },
            "cheap": {"model": "small:7b", "url": "http://127.0.0.1:8000/v1/"},
        }
    )
    (strong,) = resolve(spec, "strong")
    (cheap,) = resolve(spec, "cheap")
    assert str(strong.model) == "openai:gpt-5"
    assert strong.price == Price(input=Decimal("1.25"), output=Decimal(10), cached=Decimal("0.125"))
    assert strong.rate == Rate(requests=60, tokens=90_000)
    assert (strong.timeout, strong.temperature, strong.perimeter) == (120.0, 0.0, ("public",))
    assert str(cheap.model) == "http://127.0.0.1:8000/v1#small:7b"
    assert [str(one.model) for one in ModelRoster([spec]).definitions("planner")] == ["openai:gpt-5", "local"]
    assert [str(one.model) for one in ModelRoster([spec]).definitions("worker")] == [str(cheap.model)]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (3, "maps roles to models"),
        ({"planner": 3}, "models.planner: a model is PROVIDER:NAME"),
        ({"planner": ["openai:a", 3]}, r"models.planner\[1\]: a model is named by a text"),
        ({"planner": "openia:x"}, "models.planner: there is no provider 'openia'.*Did you mean 'openai'"),
        ({"strong": {}}, "models.strong: a model needs `model:`"),
        (
            {"strong": {"model": "openai:x", "prize": 1}},
            "models.strong.prize: a model has no field.*Did you mean 'price'",
        ),
        ({"strong": {"model": "openai:x", "price": 1}}, "models.strong.price: a price is"),
        ({"strong": {"model": "openai:x", "price": {"input": 1}}}, "models.strong.price: the price lacks 'output'"),
        (
            {"strong": {"model": "openai:x", "price": {"input": "x", "output": 1}}},
            "models.strong.price.input: input is",
        ),
        ({"strong": {"model": "openai:x", "key_env": "sk-abc def"}}, "never the key itself"),
        ({"strong": {"model": "openai:x", "window": True}}, "models.strong.window: window is a whole number"),
        ({"strong": {"model": "openai:x", "rate": "fast"}}, "models.strong.rate: a rate is written"),
        ({"strong": {"model": "openai:x", "timeout": "1h"}}, "models.strong.timeout: timeout is .* at most 10m"),
        ({"strong": {"model": "x", "url": "ftp://x"}}, "models.strong.url: .*is no address"),
        ({"local": {"model": "openai:x"}}, "is no name for a model"),
    ],
)
def test_what_is_wrong_with_a_definition_is_told_with_its_field(given: Any, says: str) -> None:
    with pytest.raises(BadModel, match=says):
        models_of(given)


def test_a_role_may_define_its_model_where_it_stands() -> None:
    given = {"planner": {"model": "openai:a", "window": 5000}, "default": "local"}
    roster = ModelRoster([models_of({"reviewer": "planner"}), models_of(given)])
    (planner,) = roster.definitions("planner")
    assert (str(planner.model), planner.window) == ("openai:a", 5000)
    assert roster.definitions("reviewer") == (planner,)
    assert roster.of("worker")[0].name == "local"


def test_a_name_that_nobody_defines_and_a_circle_are_told() -> None:
    with pytest.raises(BadModel, match=r"models\.planner: no model is called 'stong'. Did you mean 'strong'"):
        chosen([models_of({"planner": "stong", "strong": "local"})])
    with pytest.raises(BadModel, match="a -> b -> a go round in a circle"):
        chosen([models_of({"a": "b", "b": ["local", "a"]})])


def test_what_is_given_goes_before_the_environment_and_that_before_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "workspace.yaml").write_text(
        "name: w\nmodels: {planner: openai:a, worker: [mine, local], default: openai:d, mine: {model: openai:m}}\n"
    )
    (tmp_path / "stretto.toml").write_text('[models]\nsummariser = "openai:t"\nother = "openai:o"\n')
    monkeypatch.setenv("STRETTO_MODEL_PLANNER", "openai:e, mine")
    workspace = read_workspace(tmp_path)

    def serving(given: Any, role: str) -> list[str]:
        team = Orchestrator(workspace=workspace, models=given)
        return [str(one.model) for one in team.models.definitions(role)]

    assert serving(None, "planner") == ["openai:e", "openai:m"]
    assert serving(None, "worker") == ["openai:m", "local"]
    assert serving(None, "summariser") == ["openai:d"]
    assert serving({"reviewer": "other"}, "reviewer") == ["openai:o"]
    assert serving({"reviewer": "other"}, "planner") == ["openai:e", "openai:m"]
    assert serving("local", "planner") == ["local"]
    monkeypatch.setenv("STRETTO_MODEL", "openai:all")
    assert serving(None, "worker") == ["openai:all"]
    monkeypatch.setenv("STRETTO_MODEL_PLANNER", "nix")
    with pytest.raises(UsageError, match="no model is called 'nix'"):
        Orchestrator(workspace=workspace)


def test_without_any_word_no_role_has_a_model() -> None:
    roster = Orchestrator(settings=Settings()).models
    assert roster.of("planner") == roster.of("worker") == roster.of("tool") == ()


@pytest.mark.parametrize(
    ("models", "place"),
    [
        ("{planner: openia:x}", "3:10"),
        ("{planner: [local, nix]}", "3:"),
        ("\n  strong:\n    model: openai:x\n    price: {input: 1, output: many}", "6:"),
        ("[local]", ""),
    ],
)
def test_a_workspace_tells_file_line_and_column(models: str, place: str, tmp_path: Path) -> None:
    (tmp_path / "workspace.yaml").write_text(f"name: w\ngoal: Do it.\nmodels: {models}\n")
    if not place:
        assert read_workspace(tmp_path).models.roles == {"default": ("local",)}
        return
    with pytest.raises(BadWorkspace, match=rf"workspace\.yaml:{place}"):
        read_workspace(tmp_path)


def test_cached_tokens_cost_what_their_price_says() -> None:
    price = Price(input=Decimal(2), output=Decimal(10), cached=Decimal("0.2"))
    usage = Usage(input=1_000_000, output=100_000, cached=500_000)
    assert cost_at(price, usage) == Decimal(1) + Decimal("0.1") + Decimal(1)
    assert cost_at(Price(input=Decimal(2), output=Decimal(10)), usage) == Decimal(3)


def test_the_same_model_has_the_same_limits_wherever_it_serves() -> None:
    roster = ModelRoster([models_of({"planner": "m", "worker": ["m", "local"], "m": {"model": "openai:x"}})])
    assert roster.of("planner")[0] is roster.of("worker")[0] is roster.named("m")[0]
    assert roster.named("openai:x")[0] is roster.named("m")[0]
