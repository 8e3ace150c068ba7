"""Which sentences stand for the whole: centrality in the graph of similar sentences, then no two that say the same.

LexRank (Erkan and Radev 2004) on TF-IDF vectors, weighted by similarity; maximal marginal relevance (Carbonell and
Goldstein 1998) for what is not yet said.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DAMPING = 0.85
ROUNDS = 60
SETTLED = 1e-6
LEAST_ALIKE = 0.05
NEW = 0.65
"""How much of a choice is weight; the rest is being unlike what is chosen already."""
TWIN = 0.85
FULL = 7
"""Terms of a sentence that stands by itself; shorter ones weigh less."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence to be ranked: its terms, and its place in its paragraph and document."""

    order: int
    terms: tuple[str, ...]
    lead: float = 0.0


Vector = dict[str, float]


def chosen(
    candidates: Sequence[Candidate], count: int, rarity: Mapping[str, float], focus: Sequence[str]
) -> list[tuple[int, float]]:
    """Give the places of the best sentences, best first, with their weights from 0 to 1."""
    vectors = [vector_of(one.terms, rarity) for one in candidates]
    weights = _weights(candidates, vectors, vector_of(focus, rarity) if focus else {})
    found: list[tuple[int, float]] = []
    nearest = [0.0] * len(candidates)
    open_ = set(range(len(candidates)))
    while open_ and len(found) < count:
        best = max(open_, key=lambda place: (NEW * weights[place] - (1 - NEW) * nearest[place], -place))
        open_.discard(best)
        if nearest[best] >= TWIN:
            continue
        found.append((best, weights[best]))
        for place in open_:
            nearest[place] = max(nearest[place], alike(vectors[best], vectors[place]))
    return found


def vector_of(terms: Sequence[str], rarity: Mapping[str, float]) -> Vector:
    """Give the TF-IDF vector of a sentence, of length 1."""
    raw = {term: (1 + math.log(count)) * rarity.get(term, 1.0) for term, count in Counter(terms).items()}
    length = math.sqrt(sum(weight * weight for weight in raw.values()))
    return {term: weight / length for term, weight in raw.items()} if length else {}


def alike(one: Vector, other: Vector) -> float:
    """Give the cosine of two vectors of length 1."""
    small, large = (one, other) if len(one) <= len(other) else (other, one)
    return sum(weight * large[term] for term, weight in small.items() if term in large)


def _weights(candidates: Sequence[Candidate], vectors: Sequence[Vector], focus: Vector) -> list[float]:
    central = _scaled(_centrality(vectors))
    relevant = [alike(focus, one) for one in vectors] if focus else []
    sharp = _scaled(relevant) if focus else [0.0] * len(vectors)
    bend = 0.7 if any(relevant) else 0.0  # a question that shares no word with the text cannot guide
    return [
        ((1 - bend) * (0.85 * central[place] + 0.15 * one.lead) + bend * sharp[place])
        * (0.1 + 0.9 * min(1.0, len(one.terms) / FULL))
        for place, one in enumerate(candidates)
    ]


def _centrality(vectors: Sequence[Vector]) -> list[float]:
    """Give the stationary weights of a walk from sentence to similar sentence."""
    size = len(vectors)
    links = _links(vectors)
    out = [sum(weight for _, weight in one) for one in links]
    ranks = [1 / size] * size
    for _ in range(ROUNDS):
        idle = sum(rank for rank, total in zip(ranks, out, strict=True) if not total)
        base = (1 - DAMPING) / size + DAMPING * idle / size
        after = [base] * size
        for place, rank in enumerate(ranks):
            for other, weight in links[place]:
                after[other] += DAMPING * rank * weight / out[place]
        moved = sum(abs(one - other) for one, other in zip(ranks, after, strict=True))
        ranks = after
        if moved < SETTLED:
            break
    return ranks


def _links(vectors: Sequence[Vector]) -> list[list[tuple[int, float]]]:
    """Give for each sentence those like it, found by the terms they share."""
    holding: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    links: list[list[tuple[int, float]]] = [[] for _ in vectors]
    for place, vector in enumerate(vectors):
        shared: defaultdict[int, float] = defaultdict(float)
        for term, weight in vector.items():
            for other, others in holding[term]:
                shared[other] += weight * others
            holding[term].append((place, weight))
        for other, weight in shared.items():
            if LEAST_ALIKE <= weight < TWIN:  # a repeated sentence is no vote for itself
                links[place].append((other, weight))
                links[other].append((place, weight))
    return links


def _scaled(values: Sequence[float]) -> list[float]:
    most, least = max(values, default=0.0), min(values, default=0.0)
    return [(one - least) / (most - least) if most > least else 0.5 for one in values]
