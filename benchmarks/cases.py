"""Cases of the benchmarks: prompts with the verdict that each must get before a time is believed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ipguard import Verdict

FOLDER = Path(__file__).parent / "cases"


class Prompt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prompt, and the work that must be found in it; None if it must be allowed."""

    text: str
    work: str | None = None


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prompts of one kind, with what is to be learned from them."""

    name: str
    why: str
    prompts: tuple[Prompt, ...]


def read_cases() -> list[Case]:
    """Return all cases, by name."""
    return [msgspec.json.decode(path.read_bytes(), type=Case) for path in sorted(FOLDER.glob("*.json"))]


def wrong(case: Case, verdicts: Sequence[Verdict]) -> str:
    """Return what is wrong with the verdicts of a case, or the empty string."""
    for prompt, verdict in zip(case.prompts, verdicts, strict=True):
        works = {match.work_id for match in verdict.matches}
        if verdict.flagged != (prompt.work is not None) or (prompt.work and prompt.work not in works):
            return f"{case.name}: {prompt.text!r} gets {verdict.decision} with {sorted(works)}; no time is believed"
    return ""
