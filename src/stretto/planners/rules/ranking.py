"""Which skill does a clause ask for? Its verb and its words are held against the names and descriptions of skills."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from stretto.core.domain import AgentCard, Skill
from stretto.core.plan.schemas import arguments
from stretto.planners.rules.goals import Clause
from stretto.planners.rules.kinds import GOALISH, of
from stretto.planners.rules.words import named, sense, telling, verbs, words_of

ENOUGH = 0.4
"""The least score at which a skill is taken to answer a clause."""
CLOSE = 0.9
"""Skills that reach this part of the best score are rivals."""
_VERB, _OBJECT, _LITERAL = 0.55, 0.45, 0.6
_LITERAL_NAMES = {"expression": {"express", "formula"}, "url": {"url", "address", "link"}, "sql": {"sql"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A skill with what there is to match: `does` its verbs; `own`, `names` and `says` the senses of its words.

    `asks` says how far it takes a goal in its own words: it needs it, may take it, or does not.
    """

    agent: AgentCard
    skill: Skill
    does: frozenset[str]
    own: frozenset[str]
    names: frozenset[str]
    says: frozenset[str]
    takes: frozenset[str]
    asks: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A skill for a clause: how well it answers, and by which words."""

    entry: Entry
    score: float
    why: str


class Ranking:
    """The skills of a catalogue, each once, in the order of registration."""

    def __init__(self, agents: Iterable[AgentCard]) -> None:
        self.entries: dict[str, Entry] = {}
        for agent in agents:
            for skill in agent.skills:
                self.entries.setdefault(skill.name, _entry(agent, skill))
        counted = Counter(word for one in self.entries.values() for word in one.names | one.says)
        many = max(1, len(self.entries))
        self._rarity = {word: math.log(1 + many / count) for word, count in counted.items()}
        self._unheard = math.log(1 + many)
        self._verbs = verbs() | {word for one in self.entries.values() for word in _own_verbs(one.skill)}

    def acts(self, stemmed: str) -> bool:
        """Whether a stem is a verb that somebody here, or anybody, answers to."""
        return stemmed in self._verbs

    def rank(self, clause: Clause) -> list[Ranked]:
        """Give the skills that have anything to do with a clause, the best first."""
        found = [self._score(clause, one) for one in self.entries.values()]
        return sorted((one for one in found if one.score > 0), key=lambda one: -one.score)

    def _score(self, clause: Clause, entry: Entry) -> Ranked:
        verb, met = self._verb(clause, entry), []
        total = hit = 0.0
        paths = [str(one.value).rpartition(".")[2].casefold() for one in clause.said if one.what == "path"]
        named_files = [sense(word) for word in paths if sense(word) in self._rarity]
        for word in dict.fromkeys(map(sense, clause.words)):
            if clause.verb and word == sense(clause.verb):
                continue
            weight = self._rarity.get(word, self._unheard)
            share = 1.0 if word in entry.names else 0.7 if word in entry.says else 0.0
            total, hit = total + weight, hit + weight * share
            met += [word] if share else []
        spoken = hit / total if total else 0.0
        for word in named_files:
            share = 1.0 if word in entry.names else 0.7 if word in entry.says else 0.0
            total, hit = total + self._rarity[word], hit + self._rarity[word] * share
        literal = any(_LITERAL_NAMES.get(one.what, set()) & entry.takes for one in clause.said)
        about = hit / total if total else 0.0
        score = min(1.0, _VERB * verb + _OBJECT * about + _LITERAL * literal)
        makes_other = clause.verb and sense(clause.verb) == sense("write") and total and not hit
        if makes_other or (not verb and not literal and (spoken < 0.6 or clause.verb in self._verbs)):
            score = min(score, ENOUGH - 0.01)  # the right things, but not the work that is asked for
        why = ", ".join([*([f"does what {clause.verb!r} asks"] if verb and clause.verb else []), *met])
        return Ranked(entry=entry, score=round(score, 4), why=why)

    def _verb(self, clause: Clause, entry: Entry) -> float:
        if clause.question:
            return max(entry.asks, 0.7 if set(map(sense, clause.words)) & entry.own else 0.0)
        if not clause.verb:
            wanted = {sense(word) for word in clause.words}
            return 1.0 if wanted & entry.names else 0.0
        wanted_verb = sense(clause.verb)
        return 1.0 if wanted_verb in entry.does else 0.5 if wanted_verb in entry.says else 0.0


def _entry(agent: AgentCard, skill: Skill) -> Entry:
    own = [sense(word) for word in words_of(skill.name.rpartition(".")[2])]
    output = of(skill.output)
    made = output.item.name if output.many else output.name
    said = [sense(word) for word in telling(words_of(f"{skill.description} {agent.description}"))]
    needed = {word for name in arguments(skill.inputs)[1] for word in named(name)}
    takes = frozenset(word for name in of(skill.inputs).fields for word in named(name))
    return Entry(
        agent=agent,
        skill=skill,
        own=frozenset(own),
        asks=0.8 if needed & GOALISH else 0.4 if takes & GOALISH else 0.0,
        does=frozenset({*own, *map(sense, _own_verbs(skill))}),
        names=frozenset({*own, *map(sense, words_of(agent.name)), *map(sense, made)}),
        says=frozenset(said) | frozenset(map(sense, takes)),
        takes=takes,
    )


def _own_verbs(skill: Skill) -> list[str]:
    """Give the stems of the words that a skill's name and description begin with, as commands do."""
    name = named(skill.name.rpartition(".")[2])
    first = named(skill.description)[:1]
    return [*name[:1], *first]
