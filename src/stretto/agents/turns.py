"""One attempt of an agent of kind `model`, turn by turn, until there is an answer or a limit is met.

Every turn and every call of a tool is an inner call: judged, reserved and journalled, so that a crash repeats none that
has ended. Turns are named by their number and the prompt, so the same way leads to the same calls. So no prompt may
depend on the moment: limits count what replies say, not what is left in a budget.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from stretto.agent_files import ModelAgentSpec
from stretto.agents.answers import Form, Misfit
from stretto.agents.tools import LONGEST_RESULT, SHORTEST_RESULT, Workbench
from stretto.agents.window import as_text
from stretto.core.canonical import digest
from stretto.core.domain import FREE, Completed, Cost, Failed, FailureClass, Outcome, Usage
from stretto.models.asking import ask
from stretto.models.prompt import Message, Model, Prompt, Reply, Tool
from stretto.ports import AgentFailure, Assignment, Schemas

MISFITS = 2
"""How often an answer that does not fit is sent back to the model before the attempt is given up."""
MORE_ROOM = 4
"""How much longer an answer that broke off at its length may become when it is asked for again."""
LEAST_ANSWER = 64
"""Tokens that have to be left for an answer; with less nothing is asked any more."""
LEAST_SHARE = 256
"""Tokens that an answer has to have, and what tools bring, and the answer after it, where tools are still offered."""

ANSWER_NOW = "This is your last turn, and there are no tools any more. Give the answer now, with what is there."


@dataclass(slots=True, kw_only=True)
class Attempt:
    """What has been said so far, and what is left."""

    spec: ModelAgentSpec
    models: tuple[Model, ...]
    work: Assignment
    form: Form
    bench: Workbench
    schemas: Schemas
    messages: list[Message]
    turn: int = 0
    spent: Cost = FREE
    misfits: int = 0
    rejected: str = ""
    had: int = 0  # tokens that the last answer could take
    left: int = 0  # tokens that it left of the window
    wanted: int | None = None  # tokens for an answer that broke off before,
    broken: AgentFailure | None = None  # and the failure that it is where there is no more room
    longer: bool = False  # it has been asked for more once
    closing: bool = False  # there are no tools any more

    async def outcome(self) -> Outcome:
        """Go on until there is an answer; raises AgentFailure and InputNeeded."""
        while True:
            self.turn += 1
            reply, prompt = await self._asked()
            self.spent += reply.cost
            if reply.finish == "length":
                self._ask_for_more(reply)
                continue
            self.wanted = self.broken = None
            if reply.calls and prompt.tools:
                self.messages.append(Message(role="assistant", text=reply.text, calls=reply.calls))
                brought = await self.bench.answer(reply.calls, longest=self._longest_result(len(reply.calls)))
                self.messages += await self._fitting(brought)
                continue
            if not reply.text.strip():
                raise AgentFailure(
                    "it asks for tools in its last turn and gives no answer", FailureClass.INVALID_OUTPUT
                )
            try:
                output, citations = self.form.read(reply.text, self.schemas, self._is_shown)
            except Misfit as misfit:
                if (failure := self._sent_back(reply.text, str(misfit))) is not None:
                    return failure
                continue
            for one in dict.fromkeys(citations):
                self.work.cite(one.file, one.line, one.text)
            return Completed(
                output=output,
                artifacts=tuple(self.work.artifacts),
                citations=tuple(self.work.citations),
                cost=self.work.spent,
            )

    # ---- one turn

    async def _asked(self) -> tuple[Reply, Prompt]:
        prompt = await self._prompt()
        try:
            return await self._ask(prompt), prompt
        except AgentFailure as failure:
            if failure.failure is not FailureClass.OVER_BUDGET:
                raise
            closing = await self._within_the_ceiling(prompt)
            if closing is None:
                raise
            return await self._ask(closing), closing

    async def _ask(self, prompt: Prompt) -> Reply:
        return await ask(
            self.models,
            prompt,
            self.bench.toolbox,
            key=f"turn {self.turn}",
            role="worker",
            labels=self.work.labels | self.bench.labels,
        )

    async def _prompt(self) -> Prompt:
        """Give the next prompt: with tools where another turn can follow it, else the one that asks for the answer."""
        model = self.models[0]
        tools = () if self.closing or not model.tools else self.bench.offered
        prompt = self._of(self.messages, tools)
        counted = await model.count(prompt)
        if not tools:
            return await self._bounded(prompt, counted, self._room(counted))
        # A share of a third lets another turn follow that reads this one's answer and gives one as long.
        share = min(self._room(counted) - counted, model.window - counted) // 3
        if self.turn < self.spec.allowance.turns and self.bench.calls < self.bench.most and share >= LEAST_SHARE:
            return await self._bounded(prompt, counted, share if self.broken is None else self._room(counted))
        self._close()
        prompt = self._of(self.messages, ())
        counted = await model.count(prompt)
        return await self._bounded(prompt, counted, self._room(counted))

    def _close(self) -> None:
        """Let there be no more tools, and say so."""
        if not self.closing and self.turn > 1:
            self.messages.append(Message(role="user", text=ANSWER_NOW))
        self.closing = True

    async def _fitting(self, brought: Sequence[Message]) -> Sequence[Message]:
        """Give what tools brought; where window or limits have no room for it and an answer, that there is none."""
        model = self.models[0]
        counted = await model.count(self._of([*self.messages, *brought], ()))
        if min(model.window - counted, self._room(counted)) >= 2 * LEAST_ANSWER:
            return brought
        none = "(There is no room left to show the {0:,} characters that it brought.)"
        return [replace(one, text=none.format(len(one.text))) for one in brought]

    async def _bounded(self, prompt: Prompt, counted: int, share: int) -> Prompt:
        """Bound the answer of a prompt by its share; raises AgentFailure where too little is left for one."""
        model = self.models[0]
        wanted = self.wanted or self.spec.max_tokens
        left = model.window - counted
        if left < LEAST_ANSWER:
            return prompt  # it does not fit the window, and is refused with the figures
        bounded = replace(prompt, most=min(wanted, left)) if wanted is not None else prompt
        usual = (await model.most(bounded)).tokens - counted  # as far as the model's definition lets it
        most = min(usual, share, left)
        if self.broken is not None and most <= self.had:
            raise self.broken
        if most < min(LEAST_ANSWER, usual):
            limits = self.spec.allowance
            money = f" or ${limits.money}" if limits.money is not None else ""
            raise AgentFailure(
                f"its limit of {limits.tokens:,} tokens{money} is used up: {self.spent + self.bench.spent} went in "
                f"{self.turn - 1} turns, and the next one reads some {counted:,}; raise the `limits:` of "
                f"{self.spec.name!r}",
                FailureClass.OVER_BUDGET,
            )
        self.had, self.left = most, model.window - counted - most
        return prompt if most == usual and wanted is None else replace(prompt, most=most)

    async def _within_the_ceiling(self, prompt: Prompt) -> Prompt | None:
        """Give a prompt that fits what is left of the attempt's reservation; None where that is too little.

        This alone depends on the moment: after a crash such a turn may be asked for again.
        """
        if prompt.tools:
            share = (await self._left(prompt) - await self.models[0].count(prompt)) // 3
            if share >= LEAST_SHARE:
                self.had = share
                return replace(prompt, most=share)
            self._close()
            prompt = self._of(self.messages, ())
        self.had = await self._left(prompt)
        return replace(prompt, most=self.had) if self.had >= LEAST_ANSWER else None

    async def _left(self, prompt: Prompt) -> int:
        """Give the tokens of an answer that window and reservation leave."""
        most, spent, model = self.work.ceiling, self.work.spent, self.models[0]
        counted = await model.count(prompt)
        room = model.window - counted
        if most.tokens is not None:
            room = min(room, most.tokens - spent.tokens - counted)
        if most.money is not None:
            room = min(room, self._affordable(counted, most.money - spent.money))
        return room

    def _of(self, messages: Sequence[Message], tools: Sequence[Tool]) -> Prompt:
        return Prompt(
            messages=tuple(messages),
            tools=tuple(tools),
            schema=self.form.schema,
            temperature=self.spec.temperature,
        )

    # ---- limits

    def _room(self, counted: int) -> int:
        """Give the tokens that an answer to a prompt may take by the agent's own limits."""
        limits = self.spec.allowance
        room = limits.tokens - self.spent.tokens - self.bench.spent.tokens - counted
        if limits.money is not None:
            left = limits.money - self.spent.money - self.bench.spent.money
            room = min(room, self._affordable(counted, left))
        return room

    def _affordable(self, counted: int, money: Decimal) -> int:
        """Give the tokens of an answer that some dollars pay for, after what is read."""
        model = self.models[0]
        left = money - model.cost(Usage(input=counted)).money
        each = model.cost(Usage(output=1_000)).money / 1_000
        if left <= 0 < each:
            return 0
        return int(left / each) if each else model.window

    def _longest_result(self, calls: int) -> int:
        """Give the characters of a tool's result that are shown at once: all together half of what is left.

        A character is at most about a token, whatever the language.
        """
        left = min(self.spec.allowance.tokens - self.spent.tokens - self.bench.spent.tokens, self.left)
        return max(SHORTEST_RESULT, min(LONGEST_RESULT, left // (2 * calls)))

    def _ask_for_more(self, reply: Reply) -> None:
        """Ask again for an answer that broke off at its length, once, with more room."""
        broken = AgentFailure(
            f"its answer broke off at its length, after {reply.usage.output:,} tokens of {self.had:,}; raise "
            f"`max_tokens` or `limits:` of {self.spec.name!r}, or have it do less at once",
            FailureClass.INVALID_OUTPUT,
        )
        if self.longer or self.turn >= self.spec.allowance.turns:
            raise broken
        self.wanted, self.broken, self.longer = self.had * MORE_ROOM, broken, True

    # ---- the answer

    def _sent_back(self, text: str, problem: str) -> Failed | None:
        """Tell the model what is wrong with its answer; the failure, when it has been told often enough."""
        self.misfits += 1
        if self.misfits > MISFITS or self.turn >= self.spec.allowance.turns or text == self.rejected:
            message = f"its answer does not fit: {problem}"
            return Failed(
                failure=FailureClass.INVALID_OUTPUT, message=message, cost=self.work.spent, produced=digest(text)
            )
        self.rejected = text
        self.messages.append(Message(role="assistant", text=text))
        self.messages.append(Message(role="user", text=f"{problem} Give the whole answer again, mended."))
        return None

    def _is_shown(self, file: str) -> bool:
        """Whether a file was named to the model, by its inputs or by a tool."""
        given = as_text({**self.work.arguments, **self.work.shortened})
        names = {re.escape(file), re.escape(as_text([file])[2:-2])}
        named = re.compile(rf"(?<![\w/.-])(?:{'|'.join(names)})(?![\w/-])")
        return any(named.search(text) for text in (given, *self.bench.shown))
