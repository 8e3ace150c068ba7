"""The first reviewer: a result has the shape that was asked for."""

from dataclasses import dataclass

from stretto.core.domain import Review
from stretto.ports import Caller, Product, Schemas


@dataclass(frozen=True, slots=True)
class SchemaReviewer:
    """Holds outputs against the schema of the task, or of the skill."""

    schemas: Schemas
    name: str = "schema"

    def glance(self, product: Product) -> Review | None:
        problems = list(self.schemas.problems(product.result.output, product.schema))
        if product.entry is not None and not problems:
            name = product.task.writes
            found = self.schemas.problems(product.result.output, product.entry)
            problems = [f"as context entry {name!r}: {one}" for one in found]
        return Review(accepted=not problems, reviewer=self.name, findings=tuple(problems))

    async def review(self, product: Product, caller: Caller) -> Review:
        return self.glance(product) or Review(accepted=True, reviewer=self.name)
