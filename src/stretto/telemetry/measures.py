"""What is measured of a span that has ended: durations, tokens, costs and verdicts, with few attributes each."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from stretto.telemetry import names
from stretto.telemetry.shape import Span, Value

_DURATIONS = {
    names.INVOKE_WORKFLOW: (names.WORKFLOW_DURATION, (names.WORKFLOW,)),
    names.INVOKE_AGENT: (names.AGENT_DURATION, (names.AGENT,)),
    names.CHAT: (names.OPERATION_DURATION, (names.OPERATION, names.PROVIDER, names.REQUEST_MODEL)),
    names.EXECUTE_TOOL: (names.TOOL_DURATION, (names.TOOL, names.TOOL_TYPE)),
    names.WAIT: (names.WAIT_DURATION, (names.REQUEST_KIND, names.DECISION)),
}


@dataclass(frozen=True, slots=True)
class Measure:
    """One value of a metric: seconds, tokens, dollars or a number of things."""

    metric: str
    value: float
    attributes: dict[str, Value] = field(default_factory=dict)


def measured(span: Span) -> Iterator[Measure]:
    """Give what is measured of a span."""
    known = span.attributes
    if span.what in _DURATIONS:
        metric, by = _DURATIONS[span.what]
        yield Measure(metric, span.end - span.begin, _only(known, (*by, names.ERROR_TYPE)))
    if span.what == names.CHAT:
        for kind, name in (("input", names.INPUT_TOKENS), ("output", names.OUTPUT_TOKENS)):
            if isinstance(tokens := known.get(name), int):
                by = (names.OPERATION, names.PROVIDER, names.REQUEST_MODEL)
                yield Measure(names.TOKEN_USAGE, tokens, {**_only(known, by), names.TOKEN_TYPE: kind})
    if span.what == names.INVOKE_AGENT and isinstance(seconds := known.get(names.HANDOFF), float):
        yield Measure(names.HANDOFF_DURATION, seconds)
    if span.what == names.INVOKE_WORKFLOW and isinstance(cost := known.get(names.COST), float):
        yield Measure(names.RUN_COST, cost, _only(known, (names.WORKFLOW,)))
    for mark in span.marks:
        if mark.name == names.EVALUATION:
            yield Measure(names.EVALUATIONS, 1, _only(mark.attributes, (names.EVALUATION_NAME, names.EVALUATION_LABEL)))


def _only(attributes: dict[str, Value], keys: tuple[str, ...]) -> dict[str, Value]:
    return {key: attributes[key] for key in keys if key in attributes}
