"""`check`: every claim against the lines it cites."""

from collections.abc import Mapping, Sequence

from stretto.specialists.verify.evidence import Library, Line, Unreadable, quotes, words_in
from stretto.specialists.verify.figures import figures_of
from stretto.specialists.verify.judging import Case, Finding
from stretto.specialists.verify.model import Claim, Judgement, Verdict, Verdicts
from stretto.specialists.verify.recompute import recompute

MOST_CLAIMS = 10_000
LONGEST_CLAIM = 2_000
MOST_CITATIONS = 2_000
MOST_FIGURES = 40
_SHOWN = 400


def check(claims: Sequence[Claim], *, sources: Mapping[str, str] | None = None, within: str = "") -> Verdicts:
    """Judge each claim by the lines it cites, read from disk or from `sources` (texts by name).

    With `within` only files inside that folder are read, and relative names begin there. Raises ValueError for
    more than 10,000 claims; everything that is wrong with a single claim is its verdict.
    """
    if len(claims) > MOST_CLAIMS:
        raise ValueError(f"{len(claims):,} claims are more than {MOST_CLAIMS:,}; check them in parts")
    library = Library(sources, within)
    found = [_verdict(one, library) for one in claims]
    count = [one.verdict for one in found].count
    return Verdicts(
        verdicts=found,
        supported=count("supported"),
        contradicted=count("contradicted"),
        unsupported=count("unsupported"),
        unreadable=count("unreadable evidence"),
    )


def _verdict(claim: Claim, library: Library) -> Verdict:
    text = " ".join(claim.text.split())
    if not text:
        return _said(claim, "unsupported", "the claim is empty")
    if len(text) > LONGEST_CLAIM:
        return _said(claim, "unsupported", f"the claim is longer than {LONGEST_CLAIM:,} characters; part it")
    if len(figures_of(text)) > MOST_FIGURES:
        return _said(claim, "unsupported", f"the claim holds more than {MOST_FIGURES} figures; part it")
    if not claim.citations:
        return _said(claim, "unsupported", "it cites nothing")
    if len(claim.citations) > MOST_CITATIONS:
        return _said(claim, "unsupported", f"the claim cites more than {MOST_CITATIONS:,} places; part it")
    lines, unreadable, misquoted = _evidence(claim, library)
    if misquoted is not None:
        return _said(claim, misquoted.verdict, misquoted.reason, misquoted.line)
    if not lines:
        return _said(claim, "unreadable evidence", unreadable)
    case = Case(text, lines)
    if claim.expression:
        again = recompute(claim, [figure for figure, _ in case.stated], case.whole)
        if again.verdict != "supported":
            return _said(claim, again.verdict, again.reason, lines[0])
        case.checked.append(again.reason)
        case.explained = [one for one in case.figures if again.explains(one)]
    findings = list(case.findings())
    worst = _worst(findings)
    if worst is None:
        return _said(claim, "supported", "; ".join(case.checked) or "the line says so", lines[0], case.checked)
    if unreadable and worst.verdict == "unsupported":
        return _said(claim, "unreadable evidence", f"{unreadable}; without it, {worst.reason}")
    return _said(claim, worst.verdict, worst.reason, worst.line or lines[0], case.checked)


def _evidence(claim: Claim, library: Library) -> tuple[list[Line], str, Finding | None]:
    """Give the cited lines, what could not be read, and the first citation that is not true."""
    lines: dict[tuple[str, int | None, str], Line] = {}
    unreadable = ""
    wanted = words_in([claim.text])
    for citation in claim.citations:
        try:
            found = library.lines(citation, wanted)
        except Unreadable as error:
            unreadable = unreadable or str(error)
            continue
        if citation.text and citation.file:
            if not found:
                return [], "", Finding("unsupported", f"{citation.file} does not say {citation.text[:80]!r}")
            if citation.line is not None and not quotes(found[0], citation.text):
                reason = f"{citation.file}:{citation.line} does not say {citation.text[:80]!r}"
                return [], "", Finding("unsupported", reason, found[0])
        for line in found:
            lines.setdefault((line.file, line.number, line.text), line)
    return list(lines.values()), unreadable, None


def _worst(findings: Sequence[Finding]) -> Finding | None:
    """Give what decides: a line that speaks of something else contradicts nothing."""
    if not findings:
        return None
    elsewhere = next((one for one in findings if one.verdict == "unsupported"), None)
    against = next((one for one in findings if one.verdict == "contradicted"), None)
    return against if against is not None and elsewhere is None else elsewhere or against


def _said(
    claim: Claim, verdict: Judgement, reason: str, line: Line | None = None, checked: Sequence[str] = ()
) -> Verdict:
    return Verdict(
        claim=claim.text,
        verdict=verdict,
        reason=reason,
        file=line.file if line else "",
        line=line.number if line else None,
        evidence=line.text[:_SHOWN] if line else "",
        checked=list(checked),
    )
