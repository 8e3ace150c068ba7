"""Large values are fitted into a reader's window, and the whole stays one call away."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from stretto import Assignment, Orchestrator, agent
from stretto.core.compress import fitted, size

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=60,
)


@dataclass
class Row:
    n: int
    text: str


async def test_an_agent_with_a_window_gets_what_fits_and_can_have_the_whole() -> None:
    seen: dict[str, int] = {}

    @agent(effect="none", window=1000)
    def read(question: str, text: str, rows: list[Row], work: Assignment) -> int:
        seen.update(question=len(question), text=len(text), rows=len(rows))
        assert "more characters]" in text
        assert sorted(work.shortened) == ["rows", "text"]
        return len(work.whole("text")) + len(work.whole("rows")) + len(work.whole("question"))

    rows = [{"n": n, "text": "x" * 50} for n in range(100)]
    plan = {"tasks": {"a": {"skill": "read", "inputs": {"question": "why?", "text": "word " * 5000, "rows": rows}}}}
    run = await Orchestrator([read]).run("read", plan=plan)
    assert run.answer == 25_000 + 100 + 4
    assert seen["question"] == 4
    assert seen["text"] < 600
    assert 0 < seen["rows"] < 10


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=6), st.integers(100, 3000))
def test_whatever_the_arguments_are_they_keep_their_types_and_small_ones_stay_whole(
    arguments: dict[str, object], window: int
) -> None:
    found, shortened = fitted(arguments, window)
    assert found.keys() == arguments.keys()
    for name, value in arguments.items():
        assert type(found[name]) is type(value)
        if name not in shortened:
            assert found[name] == value
    if size(arguments) <= window:
        assert found == arguments
    assert fitted(arguments, window) == (found, shortened)
