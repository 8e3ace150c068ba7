"""Writes the plan: clauses to skills, arguments to supplies, and says for each why, or what is missing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from stretto.core.canonical import canonical
from stretto.core.domain import Catalogue, ForEach, InputSpec, Interpretation, Json, Plan, Task
from stretto.core.plan.references import ID, RESERVED
from stretto.planners.proposal import Proposal, Question, Refusal, WrongAnswer
from stretto.planners.rules.goals import PRONOUNS, Clause, Goal, Said, read_goal
from stretto.planners.rules.kinds import ALIKE, LOOSE, NAME, WEAK
from stretto.planners.rules.ranking import CLOSE, ENOUGH, Entry, Ranked, Ranking
from stretto.planners.rules.search import HARMLESS, Search, Way
from stretto.planners.rules.stock import Argument, Stock, alternatives
from stretto.planners.rules.supplies import references_to

PLANNER = "rules"
MOST_CLAUSES = 40
MOST_TASKS = 200
_TOO_LARGE = (f"the plan would have more than {MOST_TASKS} tasks", "a narrower goal")


class _Stuck(Exception):
    """There is no way to make what is wanted."""

    def __init__(self, reason: str, *missing: str) -> None:
        super().__init__(reason)
        self.missing = missing


class _Unsure(Exception):
    """Two ways are as good as each other, and a wrong guess would be dear."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.text)
        self.question = question


@dataclass(slots=True, kw_only=True)
class _Notes:
    """What was found out on the way."""

    reasons: list[str] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A clause and the skill that answers it."""

    clause: Clause
    skill: str


def propose(
    goal: str,
    inputs: dict[str, Json],
    specs: dict[str, InputSpec],
    catalogue: Catalogue,
    answers: Iterable[tuple[str, str]] = (),
) -> Proposal:
    """Plan a goal with the skills of a catalogue; `answers` are what people said to earlier questions."""
    ranking = Ranking(catalogue.agents)
    read = read_goal(goal, ranking.acts)
    return _Drafting(read, ranking, inputs, specs, dict(answers)).proposal()


class _Drafting:
    def __init__(
        self,
        goal: Goal,
        ranking: Ranking,
        inputs: dict[str, Json],
        specs: dict[str, InputSpec],
        answers: dict[str, str],
    ) -> None:
        self._goal, self._ranking = goal, ranking
        self._inputs, self._specs, self._answers = inputs, specs, answers
        self._notes = _Notes()
        self._tasks: dict[str, Task] = {}
        self._by_content: dict[bytes, str] = {}
        self._made: dict[tuple[str, int], str] = {}
        self._stock = Stock(ranking.entries)

    def proposal(self) -> Proposal:
        try:
            plan = self._plan()
        except _Stuck as stuck:
            refusal = Refusal(reason=str(stuck), missing=stuck.missing, instead=tuple(self._instead()))
            return Proposal(interpretation=self._interpretation(), refusal=refusal)
        except _Unsure as unsure:
            return Proposal(interpretation=self._interpretation(), question=unsure.question)
        return Proposal(interpretation=self._interpretation(), plan=plan)

    def _interpretation(self) -> Interpretation:
        wishes = [one.text for one in self._goal.clauses if one.asks]
        return Interpretation(
            planner=PLANNER,
            restated="; then ".join(wishes) if wishes else self._goal.text,
            done=tuple(self._notes.done),
            assumptions=tuple(dict.fromkeys(self._notes.assumptions)),
            reasons=tuple(dict.fromkeys(self._notes.reasons)),
        )

    # ---- which skills

    def _plan(self) -> Plan:
        self._refuse_missing_paths()
        targets = [self._settled(one) for one in self._targets()]
        wanted_skills = frozenset(one.skill for one in targets)
        self._search = self._search_for(wanted_skills)
        self._targets_found = targets
        self._dear = any(self._is_dear(self._ranking.entries[one.skill]) for one in targets)
        self._markets = [
            self._search.market(one.clause, self._goal.said, collected=number > 0) for number, one in enumerate(targets)
        ]
        wanted: list[str] = []
        for number in range(len(targets)):
            id_ = self._make(targets[number].skill, number, ())
            self._heed_reference_back(id_, number, wanted)
            if targets[number].clause.later and wanted and id_ not in wanted:
                self._after(id_, wanted[-1])
            wanted.append(id_)
        return self._finished(list(dict.fromkeys(wanted)))

    def _refuse_missing_paths(self) -> None:
        for path in [str(one.value) for one in self._goal.said if one.what == "path"]:
            if not references_to(path, self._inputs, self._specs):
                raise _Stuck(f"the goal names {path!r}, and there is no such file", f"the file {path}")

    def _settled(self, target: _Target) -> _Target:
        """Give a target whose clause names files by their whole paths; asks where several are called so."""

        def whole(one: Said) -> Said:
            if one.what != "path":
                return one
            meant = list(references_to(str(one.value), self._inputs, self._specs))
            question = f"Which file is meant by {str(one.value)!r}?"
            return replace(one, value=meant[0] if len(meant) == 1 else self._choose(question, meant, dear=True))

        said = tuple(map(whole, target.clause.said))
        return replace(target, clause=replace(target.clause, said=said))

    def _heed_reference_back(self, id_: str, number: int, before: list[str]) -> None:
        """Refuse a wish about "the results" that reads none; say what a mere "it" was taken for."""
        target = self._targets_found[number]
        clause, task = target.clause, self._tasks[id_]
        if not before or not clause.back or any(one.what == "path" for one in clause.said):
            return
        if any(_reads(task, earlier) for earlier in self._tasks):
            return
        if clause.back.casefold() in PRONOUNS:
            self._notes.assumptions.append(f"{clause.back!r} in {clause.text!r} is no result of an earlier task")
            return
        made = ", ".join(dict.fromkeys(self._tasks[one].skill for one in before))
        raise _Stuck(
            f"{clause.text!r} is about earlier results, and {target.skill} cannot take what {made} gives",
            f"a skill that makes what {target.skill} takes out of what {made} gives",
        )

    def _targets(self) -> list[_Target]:
        wishes = [one for one in self._goal.clauses if one.asks]
        for one in self._goal.clauses:
            if one.manner:
                self._notes.assumptions.append(f"{one.text!r} is a wish about the result, not work of its own")
            if one.forbids:
                self._notes.reasons.append(f"{one.text!r} says what is not to be done: nothing is planned for it")
        if not wishes:
            raise _Stuck("the goal asks for no work that could be planned", "what is to be done, in a sentence")
        if len(wishes) > MOST_CLAUSES:
            raise _Stuck(f"the goal has {len(wishes)} wishes; the limit is {MOST_CLAUSES}", "a shorter goal")
        found: list[_Target] = []
        for clause in wishes:
            skill = self._answering(clause)
            if skill is not None:
                found.append(_Target(clause=clause, skill=skill))
        if found and len(found) == len(wishes):
            return found
        unmet = [one for one in wishes if one not in [target.clause for target in found]]
        if not found and (only := self._only_way()) is not None:
            self._notes.assumptions.append(
                f"no skill's words meet the goal; {only!r} is what this team makes of a request, so it is taken"
            )
            return [_Target(clause=wishes[-1], skill=only)]
        raise _Stuck(
            f"nobody here can do {'; '.join(repr(one.text) for one in unmet)}",
            *(f"a skill for {one.text!r}" for one in unmet),
        )

    def _answering(self, clause: Clause) -> str | None:
        ranked = [one for one in self._ranking.rank(clause) if one.score >= ENOUGH]
        if not ranked:
            return None
        close = [one for one in ranked if one.score >= CLOSE * ranked[0].score]
        chosen = self._feasible(close, clause) if len(close) > 1 else close[0]
        self._notes.reasons.append(
            f"{clause.text!r} asks for {chosen.entry.skill.name} ({chosen.score:.2f}: {chosen.why or 'what it takes'})"
        )
        return chosen.entry.skill.name

    def _feasible(self, close: list[Ranked], clause: Clause) -> Ranked:
        """Choose among skills that answer alike: those that can be served, then the better, then by asking."""
        names = frozenset(one.entry.skill.name for one in close)
        search = self._search_for(names)
        market = search.market(clause, self._goal.said, collected=True)
        able = [one for one in close if one.entry.skill.name in market.totals] or close
        best = max(one.score for one in able)
        rivals = [one for one in able if one.score > best - 1e-9]
        if len(rivals) == 1 and len(able) == 1:
            return able[0]
        shown = [one.entry.skill.name for one in able]
        dear = any(self._is_dear(one.entry) for one in able)
        if dear or len(rivals) > 1:
            chosen = self._choose(f"Which is meant by {clause.text!r}?", shown, dear=dear)
            return next(one for one in able if one.entry.skill.name == chosen)
        others = ", ".join(name for name in shown if name != rivals[0].entry.skill.name)
        self._notes.assumptions.append(f"{clause.text!r} means {rivals[0].entry.skill.name} rather than {others}")
        return rivals[0]

    def _choose(self, question: str, choices: list[str], *, dear: bool) -> str:
        asked = Question(text=question, choices=tuple(choices))
        try:
            said = asked.answered(self._answers)
        except WrongAnswer as error:
            raise _Stuck(str(error), "one of these names") from None
        if said is not None:
            self._notes.reasons.append(f"{question} {said}, as a person said")
            return said
        if dear:
            raise _Unsure(asked)
        self._notes.assumptions.append(
            f"{question} {choices[0]} was taken; {', '.join(choices[1:])} would do as well, and a wrong guess is cheap"
        )
        return choices[0]

    def _search_for(self, wanted: frozenset[str]) -> Search:
        return Search(self._ranking.entries, self._stock, self._inputs, self._specs, wanted)

    def _only_way(self) -> str | None:
        """Give the last skill of a team that leads from a request to one result, if there is exactly one such."""
        entries = self._ranking.entries
        if not any(one.asks for one in entries.values()):
            return None
        clause = self._goal.clauses[-1]
        search = self._search_for(frozenset())
        market = search.market(clause, self._goal.said, collected=False)
        used = set()
        for name in market.totals:
            for argument in search.arguments(name):
                ways = market.best(name, argument)
                used |= {ways[0].option.supply.maker} if ways and argument.required else set()
        last = [name for name in market.totals if name not in used and not self._is_dear(entries[name])]
        return last[0] if len(last) == 1 else None

    # ---- what they are given

    def _make(self, skill: str, number: int, path: tuple[str, ...]) -> str:
        """Put the task for a skill into the plan, after those that make what it needs; gives its id.

        `number` is the wish that it serves, `path` the skills that wait for it. What a wish needs twice is made once.
        """
        if (skill, number) not in self._made:
            self._made[skill, number] = self._made_anew(skill, number, path)
        return self._made[skill, number]

    def _made_anew(self, skill: str, number: int, path: tuple[str, ...]) -> str:
        if len(path) >= MOST_TASKS:
            raise _Stuck(*_TOO_LARGE)
        clause = self._targets_found[number].clause
        given: dict[str, Json] = {}
        spread: Json = None
        chosen: dict[str, Way] = {}
        for argument in self._search.arguments(skill):
            if argument.required and argument.collects and number > 0 and not path:
                given[argument.name] = self._collected(argument, number)
                continue
            way = self._way(skill, argument, number, path)
            if way is None:
                if argument.required:
                    self._lacks(skill, argument, number, path)
                continue
            chosen[argument.name] = way
        if not path:
            self._leave_out_files(skill, number, chosen)
        if (either := alternatives(self._search.arguments(skill))) and not any(one.name in chosen for one in either):
            self._lacks(skill, either[0], number, path)
        for name, way in chosen.items():
            value = self._value(way, number, (*path, skill))
            if way.option.each:
                supply = way.option.supply
                inner = supply.steps if supply.spread else ""
                items = {"ref": str(value["ref"]).removesuffix(inner)} if inner else value
                if spread is not None and spread != items:
                    raise _Stuck(f"{skill} would have to pair two lists, {name!r} and another")
                spread, value = items, {"ref": f"item{inner}"}
            given[name] = [value] if way.option.wrapped else value
        return self._add(skill, clause, given, spread)

    def _leave_out_files(self, skill: str, number: int, chosen: dict[str, Way]) -> None:
        """Let an earlier result come before files, where a clause names none ("fetch a page and summarise it")."""
        optional = {one.name for one in self._search.arguments(skill) if not one.required}
        if any(one.what == "path" for one in self._targets_found[number].clause.said):
            return
        if any(name in optional and way.option.supply.maker is not None for name, way in chosen.items()):
            for name in [one for one, way in chosen.items() if one in optional and way.option.supply.files]:
                del chosen[name]

    def _way(self, skill: str, argument: Argument, number: int, path: tuple[str, ...]) -> Way | None:
        ways = [
            one for one in self._markets[number].best(skill, argument) if one.option.supply.maker not in (*path, skill)
        ]
        if not argument.required:
            earlier = {one.skill for one in self._targets_found[:number]}
            ways = [
                one
                for one in ways
                if one.option.penalty <= (NAME if one.option.supply.maker is None else ALIKE)
                and not (one.option.supply.own_words or (one.option.supply.maker and argument.asks))
                and (one.option.supply.maker is None or one.option.supply.maker in earlier)
            ]
        if not ways:
            return None
        best = ways[0]
        rivals = [
            one for one in ways if one.total < best.total + 1e-6 and one.option.supply.maker != best.option.supply.maker
        ]
        if rivals and argument.required:
            choices = list(dict.fromkeys(one.option.supply.shows() for one in (best, *rivals)))
            question = f"What is {argument.name!r} of {skill} to be?"
            chosen = self._choose(question, choices, dear=self._dear)
            best = next(one for one in (best, *rivals) if one.option.supply.shows() == chosen)
        self._tell(skill, argument, best)
        return best

    def _tell(self, skill: str, argument: Argument, way: Way) -> None:
        supply, penalty = way.option.supply, way.option.penalty
        text = f"{argument.name!r} of {skill} is {supply.shows()}"
        if supply.nothing:
            self._notes.assumptions.append(
                f"{argument.name!r} of {skill} is left empty: nothing that was asked makes it"
            )
        elif penalty >= LOOSE:
            self._notes.assumptions.append(f"{text}; only their types may fit")
        elif penalty >= WEAK:
            self._notes.assumptions.append(f"{text}, the only {argument.kind.shows()} there is")
        else:
            self._notes.reasons.append(text)

    def _value(self, way: Way, number: int, path: tuple[str, ...]) -> Json:
        """Give the value for an argument, making what makes it."""
        supply = way.option.supply
        if supply.maker is None:
            return supply.value
        earlier = [n for n in range(number) if self._targets_found[n].skill == supply.maker]
        id_ = self._make(supply.maker, earlier[-1] if earlier else number, path)
        return {"ref": f"{id_}.output{supply.steps}"}

    def _collected(self, argument: Argument, number: int) -> Json:
        ids = [self._make(self._targets_found[n].skill, n, ()) for n in range(number)]
        self._notes.reasons.append(f"{argument.name!r} collects what was asked for before: {', '.join(ids)}")
        references = {id_: {"ref": f"{id_}.output"} for id_ in ids}
        return references if argument.kind.types == {"object"} else list(references.values())

    def _lacks(self, skill: str, argument: Argument, number: int, path: tuple[str, ...]) -> None:
        """Say what is missing, at the very source: the argument that nothing gives of the maker that comes nearest."""
        if argument.collects:
            mend = "what it is to be about, asked for before it, as in 'summarise notes.md and write a report'"
            raise _Stuck(f"{skill} puts results together, and the goal asks for none before it", mend)
        either = [one.name for one in alternatives(self._search.arguments(skill))]
        if len(either) > 1:
            names = " or ".join(repr(one) for one in either)
            mends = (f"{one}, with --input {one}=..." for one in either)
            raise _Stuck(f"{skill} needs {names}, and neither the goal, the inputs nor another skill gives it", *mends)
        market = self._markets[number]
        makers = sorted(market.ways[skill, argument.name], key=lambda one: one.penalty)
        for option in makers:
            maker = option.supply.maker
            if maker is None or maker in (*path, skill) or maker in market.totals or option.penalty >= LOOSE:
                continue
            for inner in self._search.arguments(maker):
                if inner.required and not market.best(maker, inner):
                    self._lacks(maker, inner, number, (*path, skill))
        if argument.kind.name or not argument.kind.types & {"string", "array", "number", "integer"}:
            mend = f"an agent that makes {argument.kind.shows()}"
        else:
            mend = f"{argument.name}, with --input {argument.name}=..."
        raise _Stuck(
            f"{skill} needs {argument.name!r} ({argument.kind.shows()}), and neither the goal, the inputs nor another "
            "skill gives it",
            mend,
        )

    # ---- the plan

    def _add(self, skill: str, clause: Clause, given: dict[str, Json], spread: Json) -> str:
        mark = canonical([skill, given, spread])
        if mark in self._by_content:
            return self._by_content[mark]
        if len(self._tasks) >= MOST_TASKS:
            raise _Stuck(*_TOO_LARGE)
        id_ = self._free_id(skill)
        wanted = any(one.skill == skill and one.clause is clause for one in self._targets_found)
        task = Task(
            id=id_,
            skill=skill,
            objective=clause.text if wanted else f"{_first(self._ranking.entries[skill].skill.description) or skill}",
            inputs=given,
            for_each=ForEach(items=spread) if spread is not None else None,
        )
        self._tasks[id_] = task
        self._by_content[mark] = id_
        return id_

    def _after(self, id_: str, earlier: str) -> None:
        task = self._tasks[id_]
        if earlier != id_ and not _reads(task, earlier):
            self._tasks[id_] = replace(task, after=(*task.after, earlier))

    def _free_id(self, skill: str) -> str:
        short = re.sub(r"[^A-Za-z0-9_-]", "_", skill.rpartition(".")[2])
        long = re.sub(r"[^A-Za-z0-9_-]", "_", skill)
        for one in (short, long, *(f"{short}_{n}" for n in range(2, MOST_TASKS + 2))):
            if ID.fullmatch(one) and one not in RESERVED and one not in self._tasks:
                return one
        return f"task_{len(self._tasks) + 1}"

    def _finished(self, wanted: list[str]) -> Plan:
        used = {id_ for task in self._tasks.values() for id_ in self._tasks if _reads(task, id_)}
        leaves = [id_ for id_ in wanted if id_ not in used] or wanted[-1:]
        for id_ in leaves:
            skill = self._ranking.entries[self._tasks[id_].skill].skill
            kind = skill.output.get("title") or "a result"
            self._notes.done.append(f"{kind} from {skill.name}: {_first(skill.description) or 'accepted by review'}")
        deliver: Json = {id_: {"ref": f"{id_}.output"} for id_ in leaves}
        if len(leaves) == 1:
            deliver = {"ref": f"{leaves[0]}.output"}
        tasks = tuple(self._tasks.values())
        return Plan(tasks=tasks, inputs=self._specs, deliver=deliver, name="")

    def _is_dear(self, entry: Entry) -> bool:
        return entry.skill.effect not in HARMLESS or entry.agent.cost.money > 0 or entry.skill.approval == "ask"

    def _instead(self) -> Iterable[str]:
        """Say what of the goal could be done, and which skills come nearest to the rest."""
        could, near = [], []
        for clause in self._goal.clauses:
            ranked = self._ranking.rank(clause) if clause.asks else []
            if ranked and ranked[0].score >= ENOUGH:
                could.append(clause.text)
            else:
                near += [one.entry.skill for one in ranked[:2]]
        if could and len(could) < sum(one.asks for one in self._goal.clauses):
            yield f"ask only for: {'; '.join(could)}"
        for skill in {one.name: one for one in near}.values():
            yield f"{skill.name} ({_first(skill.description)})" if skill.description else skill.name


def _reads(task: Task, id_: str) -> bool:
    return (
        id_ != task.id and f'"{id_}.output' in canonical([task.inputs, task.for_each and task.for_each.items]).decode()
    )


def _first(text: str) -> str:
    return text.partition(". ")[0].rstrip(".")
