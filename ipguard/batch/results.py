"""What a batch adds to a row."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from ipguard.verdict import Verdict

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = (
    "ipguard_risk",
    "ipguard_decision",
    "ipguard_works",
    "ipguard_rights_holders",
    "ipguard_matches",
    "ipguard_reason",
    "ipguard_style_risk",
    "ipguard_model",
    "ipguard_catalogue",
)
"""In this order."""
NAMED_RISK = 0.1
"""Risk of a match from which its work is listed: that of any prompt, before it is read (the prior)."""


class Result(msgspec.Struct, frozen=True, array_like=True):
    """The cells that a verdict adds, in the order of :data:`COLUMNS`.

    Attributes
    ----------
    risk, decision, reason, style_risk, model, catalogue
        Of the verdict; the reason is its stable code.
    works, rights_holders
        Ids of the works at risk, the highest first, and of their holders.
    matches
        JSON list of the matches.
    """

    risk: float
    decision: str
    works: tuple[str, ...]
    rights_holders: tuple[str, ...]
    matches: str
    reason: str
    style_risk: float | None
    model: str
    catalogue: str

    @classmethod
    def of(cls, verdict: Verdict) -> Result:
        """Build from a verdict."""
        named = [match for match in verdict.matches if match.risk >= NAMED_RISK]
        style = verdict.categories["style"]
        return cls(
            risk=round(verdict.risk, 6),
            decision=verdict.decision,
            works=tuple(dict.fromkeys(match.work_id for match in named)),
            rights_holders=tuple(dict.fromkeys(holder for match in named for holder in match.rights_holders)),
            matches=_json([match.to_dict() for match in verdict.matches]),
            reason=verdict.reason_code,
            style_risk=None if style is None else round(style, 6),
            model=verdict.model_version,
            catalogue=verdict.catalogue_version,
        )


def _json(data: object) -> str:
    text = json.dumps(data, ensure_ascii=False)
    # A lone surrogate of a prompt can only be kept escaped.
    return json.dumps(data) if any("\ud800" <= char <= "\udfff" for char in text) else text


def cells(result: Result | None) -> list[str]:
    """Return a result as text cells: lists joined by semicolons; all empty for a row that was not scored."""
    if result is None:
        return [""] * len(COLUMNS)
    style = "" if result.style_risk is None else f"{result.style_risk:.6f}"
    return [
        f"{result.risk:.6f}", result.decision, ";".join(result.works), ";".join(result.rights_holders),
        result.matches, result.reason, style, result.model, result.catalogue,
    ]  # fmt: skip


def fields(result: Result | None) -> bytes:
    """Return a result as the rest of a JSON object, its closing brace included."""
    values: list[Any] = [None] * len(COLUMNS)
    if result is not None:
        values = list(msgspec.structs.astuple(result))
        values[COLUMNS.index("ipguard_matches")] = msgspec.Raw(result.matches.encode())
    return msgspec.json.encode(dict(zip(COLUMNS, values, strict=True)))[1:]


def schema() -> pa.Schema:
    """Return the Arrow schema of the columns."""
    import pyarrow as pa

    text, many = pa.string(), pa.list_(pa.string())
    kinds = (pa.float64(), text, many, many, text, text, pa.float64(), text, text)
    return pa.schema(list(zip(COLUMNS, kinds, strict=True)))


def columns(results: list[Result | None]) -> list[pa.Array]:
    """Return results as Arrow arrays, null where a row was not scored."""
    import pyarrow as pa

    rows = [msgspec.structs.astuple(r) if r is not None else (None,) * len(COLUMNS) for r in results]
    return [
        pa.array([list(v) if isinstance(v, tuple) else v for v in values], field.type)
        for values, field in zip(zip(*rows, strict=True), schema(), strict=True)
    ] if rows else [pa.array([], field.type) for field in schema()]  # fmt: skip
