"""The schema of `workspace.yaml`."""

import importlib
import inspect

from pydantic import TypeAdapter

from stretto.agents.person import FIELDS as PERSON_SKILL
from stretto.bootstrap.hiring import PERSON, SPECIALISTS
from stretto.channels import KINDS, LONGEST, READERS
from stretto.core.domain import FailureClass, Provider, Schema
from stretto.core.limits import CHOICES_OF_RULES
from stretto.models.definition import DEFAULT, LONGEST_SILENCE, PRICE, ROLES
from stretto.models.definition import READERS as OF_MODELS
from stretto.schemas.parts import (
    ANYTHING,
    BUDGET,
    COMMON,
    FLAG,
    LENGTH_PATTERN,
    NAMES,
    OFF,
    ON_ENTRIES,
    SOME_TEXT,
    TEXT,
    TYPES,
    VARIABLE,
    document,
    either,
    listed,
    mapping,
    maybe,
    named,
    one_of,
    part,
    told,
    whole,
)
from stretto.workspace import FIELDS, MODEL_FIELDS, ON_CARDS, PYTHON_FIELDS, RULES, TEAM_FIELDS

_ABOVE_0: Schema = {"type": "number", "exclusiveMinimum": 0}
_OBJECT: Schema = {"type": "object"}
_TYPE = either(one_of(*TYPES), _OBJECT)


def workspace_schema() -> Schema:
    """Give the schema of `workspace.yaml`."""
    definitions = {
        **COMMON,
        "agent": _agent(),
        "channel": either(one_of("terminal"), *(_channel(kind) for kind in READERS)),
        "model": _model(),
        "provider": mapping(Provider.__dataclass_fields__, _provider()),
    }
    about = "Agents, plans, inputs and rules: a folder with this file is a workspace."
    return document("Stretto workspace", about, mapping(FIELDS, _fields()), definitions)


def _fields() -> dict[str, Schema]:
    models = either(TEXT, part("model"), listed(SOME_TEXT, minItems=1))
    return {
        "name": told(maybe(TEXT), "what it is called; the folder's name when it is missing"),
        "description": told(maybe(TEXT), "what it is for"),
        "goal": told(maybe(TEXT), "the goal of `stretto run` when none is given"),
        "agents": told(maybe(listed(part("agent"))), "who works here"),
        "plan": told(maybe(TEXT), "the plan's file"),
        "inputs": told(maybe(_OBJECT), "what the plan's inputs are when --input names none; paths from this folder"),
        "rules": told(maybe(mapping(RULES, _rules())), "how runs go"),
        "ladder": told(maybe(part("ladder")), "by class of failure what to try next"),
        "budget": told(maybe(BUDGET), "the most a run may spend: money, tokens, steps, time, revisions"),
        "context": told(maybe(named(_TYPE)), "what tasks may write, each with its JSON Schema"),
        "notify": told(maybe(listed(part("channel"))), "who is told when nobody looks at the screen"),
        "providers": told(maybe(named(part("provider"))), "what several agents draw on, by name"),
        "people": told(
            either({"type": "null"}, listed(TEXT), named(either({"type": "null"}, named(TEXT)))),
            "who is there, and where they are reached",
        ),
        "ask": told(maybe(part("asks")), "who is asked, until when, and what silence comes to"),
        "models": told(
            either({"type": "null"}, TEXT, listed(SOME_TEXT), _models(models)),
            "which model does what: by role, and by names of your own",
        ),
    }


def _rules() -> dict[str, Schema]:
    tries: Schema = {"type": "integer", "minimum": 0}
    retries = mapping(FailureClass, dict.fromkeys(FailureClass, tries))
    return {
        "parallel": told(_ABOVE_0, "attempts under way at once"),
        "timeout": told(_ABOVE_0, "seconds of an attempt when nothing else says so"),
        "fan_out": told(_ABOVE_0, "items of a for_each without a bound of its own"),
        "retries": told(retries, "further tries, by class of failure"),
        "replans": told(tries, "new plans without anybody's word"),
        "breaker": told(part("breaker"), "when agents are given no more work for a while, or `off`"),
        "most_failures": told(either(OFF, whole()), "failed attempts at which the run pauses"),
        "stall": told(
            either(OFF, {"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
            "share of the budget spent without a new result at which it pauses, or `off`",
        ),
        **{name: one_of(*words) for name, words in CHOICES_OF_RULES.items()},
    }


def _provider() -> dict[str, Schema]:
    return {
        "concurrency": told(maybe(whole()), "attempts at once"),
        "rate": told(part("rate"), "how many requests and tokens a minute"),
        "breaker": told(part("breaker"), "when it is given no more work for a while, or `off`"),
        "perimeter": told(maybe(listed(TEXT)), "the labels of data that its models may see"),
    }


# ---- agents


def _agent() -> Schema:
    named_alone = either(one_of(*SPECIALISTS), {"type": "string", "pattern": r"\.(py|md)$"})
    name = told(maybe(TEXT), "what it is called here")
    python = {"python": told(TEXT, "a file whose functions are its skills"), "name": name, **ON_ENTRIES}
    models = told(maybe(NAMES), "the model it asks")
    described = {"file": told(TEXT, "a Markdown file that describes it"), "name": name, "model": models, **ON_ENTRIES}
    team = {
        "team": told(TEXT, "the folder of another workspace"),
        "name": name,
        "budget": told(BUDGET, "the most a task of it may cost"),
        "partial": told(one_of("refuse", "accept"), "whether a result with gaps counts"),
        **ON_ENTRIES,
    }
    return either(
        named_alone,
        mapping(PYTHON_FIELDS, python, "python"),
        mapping(MODEL_FIELDS, described, "file"),
        mapping(TEAM_FIELDS, team, "team"),
        _person(),
        *(_specialist(one) for one in SPECIALISTS),
    )


def _specialist(name: str) -> Schema:
    """Give an agent that ships, with the options that its skills take."""
    factory = getattr(importlib.import_module(SPECIALISTS[name]), "skills", None)
    given = inspect.signature(factory, eval_str=True).parameters if factory is not None else {}
    options = {one.name: TypeAdapter(one.annotation).json_schema() for one in given.values()}
    return mapping(("use", *options, *ON_CARDS), {"use": {"const": name}, **options, **ON_ENTRIES}, "use")


def _person() -> Schema:
    types = maybe(_TYPE)
    skill = {
        "name": SOME_TEXT,
        "description": ANYTHING,
        "inputs": told(maybe(named(types)), "its arguments, each with its type"),
        "output": told(types, "the type of the answer"),
        "labels": maybe(listed(TEXT)),
        "evidence": ANYTHING,
        "who": told(maybe(TEXT), "who is asked"),
        "ask": told(maybe(part("asks")), "or a whole chain"),
    }
    skills = listed(mapping(PERSON_SKILL, skill, "name"), minItems=1)
    parts = {"use": {"const": "person"}, "name": SOME_TEXT, "description": ANYTHING, "skills": skills, **ON_ENTRIES}
    return mapping(("use", *PERSON, *ON_CARDS), parts, "use", "name", "skills")


# ---- channels


def _channel(kind: str) -> Schema:
    fields = READERS[kind][1]
    timeout: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": LONGEST}
    some = either(SOME_TEXT, listed(SOME_TEXT, minItems=1))
    parts = {
        "terminal": {"const": True},
        "bell": told(FLAG, "ring with every notice"),
        "webhook": told(SOME_TEXT, "the address that notices are posted to"),
        "secret_env": told(_variable(), "the variable with the secret that bodies are signed with"),
        "insecure": told(FLAG, "allow http to any host"),
        "mail": told(some, "the addresses"),
        "from": told(SOME_TEXT, "the sender's address"),
        "server": told(SOME_TEXT, "the mail server, like smtp.example.org:587"),
        "tls": one_of("starttls", "ssl", "none"),
        "user_env": told(_variable(), "the variable with the user's name"),
        "password_env": told(_variable(), "the variable with the password"),
        "timeout": told(timeout, "seconds that a sending may take"),
        "on": told(either(one_of(*KINDS), listed(one_of(*KINDS), minItems=1)), "for which alerts"),
        "to": told(some, "for whom"),
    }
    required = ("mail", "from", "server") if kind == "mail" else (kind,)
    return mapping(fields, parts, *required)


def _variable() -> Schema:
    return either({"const": ""}, VARIABLE)


# ---- models


def _models(models: Schema) -> Schema:
    roles: dict[str, Schema] = {
        role: told(models, f"the model that serves the role {role}, or several") for role in ROLES
    }
    roles[DEFAULT] = told(models, "the model of all roles that are not named")
    names: Schema = {"pattern": "^[A-Za-z_][A-Za-z0-9_.-]*$", "not": {"const": "local"}}
    return {"type": "object", "properties": roles, "propertyNames": names, "additionalProperties": models}


def _model() -> Schema:
    dollars = either({"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^\$?\s*[0-9.]"})
    count, flag = maybe(whole(10**9)), maybe(FLAG)
    seconds = either(
        {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": LONGEST_SILENCE},
        {"type": "string", "pattern": LENGTH_PATTERN},
    )
    price = mapping(PRICE, dict.fromkeys(PRICE, dollars), "input", "output")
    parts = {
        "model": told(SOME_TEXT, "PROVIDER:NAME, or its name at the address `url`"),
        "url": told(TEXT, "an address that speaks OpenAI's chat interface"),
        "key_env": told(maybe(VARIABLE), "the variable with its key; never the key itself"),
        "price": told(maybe(price), "dollars for a million tokens"),
        "window": told(count, "tokens that fit into it"),
        "max_tokens": told(count, "the longest answer"),
        "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
        "constrains": told(flag, "whether it keeps to a JSON Schema"),
        "tools": told(flag, "whether it calls tools"),
        "concurrency": told(count, "calls at once"),
        "rate": told(maybe(part("rate")), "how many requests and tokens a minute"),
        "timeout": told(seconds, "seconds of silence after which it is given up"),
        "perimeter": told(maybe(NAMES), "the labels of data that it may see"),
        "insecure": told(flag, "let its key go over plain http to another machine"),
    }
    return mapping(("model", "url", *OF_MODELS), parts, "model")
