"""The third reviewer: criteria that a program can check are checked by one; the others are left to a judge."""

from dataclasses import dataclass

from stretto.core.domain import Json, Review, Score
from stretto.core.plan.criteria import Bound, Check, Pattern, Phrase, checkable, length, part_of, text_in
from stretto.ports import Caller, Conditions, Product

_SEARCH = "text.matches(pattern)"


@dataclass(frozen=True, slots=True)
class CriteriaReviewer:
    """Measures, counts and searches results. Patterns are searched as conditions are: in time linear in the text."""

    conditions: Conditions
    name: str = "criteria"

    def glance(self, product: Product) -> Review | None:
        found = [(one, check) for one in product.criteria if (check := checkable(one)) is not None]
        if not found:
            return Review(accepted=True, reviewer="")
        scores = tuple(self._scored(criterion, check, product) for criterion, check in found)
        missed = tuple(f"{one.criterion}: {one.feedback}" for one in scores if not one.met)
        return Review(accepted=not missed, reviewer=self.name, findings=missed, scores=scores)

    async def review(self, product: Product, caller: Caller) -> Review:
        return self.glance(product) or Review(accepted=True, reviewer="")

    def _scored(self, criterion: str, check: Check, product: Product) -> Score:
        try:
            nearness, feedback = self._checked(check, part_of(product.result.output, check), product)
        except (LookupError, ValueError) as error:
            nearness, feedback = 0.0, str(error.args[0]) if error.args else "it cannot be checked"
        return Score(criterion=criterion, met=not feedback, score=nearness, feedback=feedback)

    def _checked(self, check: Check, value: Json, product: Product) -> tuple[float, str]:
        """Give how near a value comes to what is wanted, and what is wrong with it; empty when nothing is."""
        match check:
            case Bound():
                found = length(value, check.measure, len(set(product.result.citations)))
                return check.nearness(found), "" if check.holds(found) else f"there are {found}"
            case Phrase():
                there = check.text in text_in(value)
                if there is not check.lacks:
                    return 1.0, ""
                return 0.0, "it is in it" if there else "it is not in it"
            case Pattern():
                there = self.conditions.holds(_SEARCH, {"text": text_in(value), "pattern": check.pattern})
                return (1.0, "") if there else (0.0, "it is not found")
