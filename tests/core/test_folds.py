"""What is read out of events and results: the chain of hashes, lessons, claims, and inputs made to fit."""

from dataclasses import replace

from stretto.core.audit import GENESIS, Envelope, broken_link, seal
from stretto.core.claims import MOST_CLAIMS, Said, claims, contradictions
from stretto.core.compress import fitted, size
from stretto.core.domain import Cost, Delivery, RunStatus, Task, Verdict
from stretto.core.events import AttemptCompleted, AttemptStarted, Event, RunEnded, TaskAdded
from stretto.core.learning import Learned, Lessons, learned

ALLOW = Verdict(decision="allow", rule="test")


def sealed(*payloads: bytes) -> list[Envelope]:
    found: list[Envelope] = []
    for number, payload in enumerate(payloads, 1):
        previous = found[-1].hash if found else GENESIS
        found.append(
            seal(run="r", seq=number, at=1.0, actor="a", kind="k", version=1, payload=payload, previous=previous)
        )
    return found


def test_the_first_event_that_does_not_fit_the_chain_is_named() -> None:
    whole = sealed(b"one", b"two", b"three")
    assert broken_link(whole) is None
    assert broken_link([whole[0], replace(whole[1], payload=b"2"), whole[2]]) == 2
    assert broken_link([whole[0], whole[2]]) == 3
    assert broken_link([replace(whole[0], hash=whole[1].hash), *whole[1:]]) == 1


def attempt(task: str, begin: float, end: float) -> list[Event]:
    started = AttemptStarted(task=task, attempt=1, agent="a", key=task, arguments="", verdict=ALLOW, at=begin)
    return [started, AttemptCompleted(task=task, attempt=1, cost=Cost(), at=end)]


def test_what_a_run_teaches_is_known_at_its_end_and_counted_once() -> None:
    end = RunEnded(status=RunStatus.FINISHED, delivery=Delivery(), at=9.0)
    before: list[Event] = [TaskAdded(task=Task(id="t", skill="do")), *attempt("t", 1.0, 3.0)]
    lessons = Lessons()
    for event in before:
        lessons.take(event)
    assert lessons.with_end(attempt("t", 4.0, 5.0)) == {}
    assert lessons.with_end([*attempt("t", 4.0, 8.0), end]) == {"a/do": Learned(count=2, seconds=3.0)}
    assert lessons.learned() == {"a/do": Learned(count=1, seconds=2.0)}
    assert learned([*before, end, *attempt("t", 10.0, 99.0)]) == {"a/do": Learned(count=1, seconds=2.0)}


def test_a_line_quoted_from_a_file_is_no_claim() -> None:
    assert list(claims({"file": "a.log", "line": 3, "text": "There were 7 breaches of the rule."})) == []
    assert list(claims({"text": "There were 7 breaches of the rule."})) != []


def test_so_many_claims_are_held_against_each_other_and_no_more() -> None:
    many = [{"name": f"n{number}", "value": number} for number in range(MOST_CLAIMS + 1)]
    first = Said(task="a", skill="s", given=b"", value=many)
    one, other = (Said(task=id_, skill="s", given=b"", value=[{"name": "n1", "value": said}]) for id_, said in
                  (("b", 1), ("c", 2)))  # fmt: skip
    assert contradictions([one, other]) != ()
    assert contradictions([first, one, other]) == ()


def test_many_small_arguments_stay_whole_however_small_the_window() -> None:
    many = {f"a{number}": "x" * 50 for number in range(100)}
    assert fitted(many, 100) == (many, ())


def test_what_cannot_be_cut_stays_whole_and_is_not_named_as_shortened() -> None:
    number = 10**500
    found, shortened = fitted({"number": number, "text": "word " * 200}, 200)
    assert found["number"] == number
    assert shortened == ("text",)
    assert size(found["text"]) < 200
