"""Decisions that were not plain allowance: recorded, reviewed, exported, forgotten in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ipguard.errors import InvalidArgumentError
from ipguard.policy.registry.database import Database
from ipguard.policy.registry.tables import decisions
from ipguard.text.keys import text_key
from ipguard.text.language import plain_language
from ipguard.verdict import Decision, Verdict

ReviewState = Literal["open", "upheld", "overturned"]
Label = Literal["no", "style", "brand", "yes"]
LABELS: tuple[Label, ...] = get_args(Label)
PAGE = 1000
"""Rows that an export reads at a time."""
LIKELY = 0.5
"""Risk from which a work of a record goes into the labels of its text."""
_KEPT_OF_A_MATCH = ("work_id", "title", "item", "rights_holders", "status", "kind", "start", "end", "risk", "rule")
_KINDS = {"no": "none", "style": "style", "brand": "brand", "yes": "named"}


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision as it is recorded.

    Attributes
    ----------
    at
        When it was made.
    request_id, caller
        Of the request and of the key that made it, as far as was said.
    prompt_sha256
        Of the prompt's NFC, stripped form.
    prompt
        The text, or None where texts are not kept. NUL and lone surrogates, which databases refuse, are
        replaced by U+FFFD.
    decision, risk, rule, reason_code, model_version, catalogue_version
        As in the verdict.
    matches
        Of the verdict, without anything of the prompt's text.
    policy_version
        Revision or hash of the policy.
    uid
        Tells a record that is written again from another one.
    id
        In the database; None before it is there.
    review, label, note, reviewed_by, reviewed_at
        ``open``, ``upheld`` or ``overturned``; the label that the text deserves; and what the reviewer said.
    """

    at: datetime
    request_id: str
    caller: str
    prompt_sha256: str
    prompt: str | None
    decision: Decision
    risk: float
    rule: str
    reason_code: str
    matches: list[dict[str, Any]]
    model_version: str
    catalogue_version: str
    policy_version: str
    uid: str = field(default_factory=lambda: uuid4().hex)
    id: int | None = None
    review: ReviewState = "open"
    label: Label | None = None
    note: str = ""
    reviewed_by: str = ""
    reviewed_at: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON-ready data."""
        times = {"at": self.at.isoformat(), "reviewed_at": self.reviewed_at and self.reviewed_at.isoformat()}
        return {**asdict(self), **times}


def record_of(
    verdict: Verdict,
    prompt: str,
    *,
    request_id: str = "",
    caller: str = "",
    policy_version: str = "",
    keep_text: bool = False,
) -> DecisionRecord:
    """Return what is recorded of a verdict.

    Parameters
    ----------
    verdict
        The answer.
    prompt
        What it is about.
    request_id, caller, policy_version
        As far as they are known.
    keep_text
        Whether the text itself may be kept.

    Returns
    -------
    DecisionRecord
        Stamped with the time.
    """
    matches = [match.to_dict() for match in verdict.matches]
    return DecisionRecord(
        at=datetime.now(tz=UTC),
        request_id=_storable(request_id),
        caller=_storable(caller),
        prompt_sha256=text_key(prompt),
        prompt=_storable(prompt) if keep_text else None,
        decision=verdict.decision,
        risk=verdict.risk,
        rule=verdict.rule,
        reason_code=verdict.reason_code,
        matches=[{key: match[key] for key in _KEPT_OF_A_MATCH} for match in matches],
        model_version=verdict.model_version,
        catalogue_version=verdict.catalogue_version,
        policy_version=policy_version,
    )


def _storable(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class AuditLog:
    """Recorded decisions in a registry's database. Thread-safe.

    Parameters
    ----------
    database
        Of a registry.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, records: Sequence[DecisionRecord]) -> None:
        """Write records in one transaction; those that are there already are left out.

        Parameters
        ----------
        records
            Any number.

        Raises
        ------
        RegistryError
            If the database cannot be reached or refuses; nothing is written then.
        """
        if not records:
            return
        rows = [{key: value for key, value in asdict(record).items() if key != "id"} for record in records]
        insert = sqlite.insert(decisions) if self._database.is_sqlite else postgresql.insert(decisions)
        with self._database.writing() as connection:
            # A commit whose answer was lost is tried again and must not count twice.
            connection.execute(insert.on_conflict_do_nothing(index_elements=["uid"]), rows)

    def decisions(
        self,
        *,
        review: ReviewState | None = None,
        since: datetime | None = None,
        limit: int | None = 100,
        after: int | None = None,
    ) -> list[DecisionRecord]:
        """Return recorded decisions.

        Parameters
        ----------
        review
            Only those in this state.
        since
            Only those made at or after this time.
        limit
            The newest so many; None for all.
        after
            Only those with a greater id, and the oldest first: for reading all of them page by page.

        Returns
        -------
        list of DecisionRecord
            The newest first, unless `after` is given.
        """
        query = sa.select(decisions).order_by(decisions.c.id if after is not None else decisions.c.id.desc())
        if review is not None:
            query = query.where(decisions.c.review == review)
        if since is not None:
            query = query.where(decisions.c.at >= since)
        if after is not None:
            query = query.where(decisions.c.id > after)
        with self._database.reading() as connection:
            return [DecisionRecord(**row) for row in connection.execute(query.limit(limit)).mappings()]

    def __iter__(self) -> Iterator[DecisionRecord]:
        """Yield every record, the oldest first, a page at a time."""
        last = 0
        while page := self.decisions(after=last, limit=PAGE):
            yield from page
            last = page[-1].id or last

    def get(self, record_id: int) -> DecisionRecord:
        """Return one record.

        Parameters
        ----------
        record_id
            Its id.

        Returns
        -------
        DecisionRecord
            The record.

        Raises
        ------
        InvalidArgumentError
            If there is none of that id.
        """
        with self._database.reading() as connection:
            return _one(connection, record_id)

    def uphold(self, record_id: int, *, note: str = "", by: str = "") -> DecisionRecord:
        """Say that a decision was right.

        Parameters
        ----------
        record_id
            Id of the record.
        note, by
            Why, and who says so.

        Returns
        -------
        DecisionRecord
            The record after it.

        Raises
        ------
        InvalidArgumentError
            If there is none of that id.
        """
        return self._judge(record_id, review="upheld", label=None, note=note, reviewed_by=by)

    def overturn(self, record_id: int, *, label: Label | None = None, note: str = "", by: str = "") -> DecisionRecord:
        """Say that a decision was wrong.

        Parameters
        ----------
        record_id
            Id of the record.
        label
            What the text deserves by the labelling guide. None takes ``no`` where a threshold decided; where a
            rule did, the text may well ask for a franchise, and stays without a label.
        note, by
            Why, and who says so.

        Returns
        -------
        DecisionRecord
            The record after it.

        Raises
        ------
        InvalidArgumentError
            If there is none of that id, or no such label.
        """
        if label is not None and label not in LABELS:
            raise InvalidArgumentError("label", f"be one of {', '.join(LABELS)}", label)
        if label is None and self.get(record_id).rule.startswith("threshold"):
            label = "no"
        return self._judge(record_id, review="overturned", label=label, note=note, reviewed_by=by)

    def _judge(self, record_id: int, **values: str | None) -> DecisionRecord:
        with self._database.writing() as connection:
            _one(connection, record_id)
            change = sa.update(decisions).where(decisions.c.id == record_id)
            connection.execute(change.values(**values, reviewed_at=datetime.now(tz=UTC)))
            return _one(connection, record_id)

    def purge(self, older_than: timedelta) -> int:
        """Forget what was decided longer ago, reviewed or not.

        Parameters
        ----------
        older_than
            Age from which records go.

        Returns
        -------
        int
            How many went.

        Raises
        ------
        InvalidArgumentError
            If the age is negative.
        """
        if older_than < timedelta(0):
            raise InvalidArgumentError("older_than", "not be negative", older_than)
        with self._database.writing() as connection:
            limit = datetime.now(tz=UTC) - older_than
            return connection.execute(sa.delete(decisions).where(decisions.c.at < limit)).rowcount

    def training_rows(self) -> Iterator[dict[str, Any]]:
        """Yield overturned decisions as labelled prompts, in the form that ``ipguard train`` reads.

        Yields
        ------
        dict
            ``text``, ``label``, ``kind``, ``works``, ``lang`` and ``source``; a text once, by its last review.
            Records without text or label are left out.
        """
        found: dict[str, DecisionRecord] = {}
        for record in self:
            held = found.get(record.prompt_sha256)
            newer = held is None or (record.reviewed_at or record.at) >= (held.reviewed_at or held.at)
            if record.review == "overturned" and record.label and record.prompt and newer:
                found[record.prompt_sha256] = record
        for record in found.values():
            yield {
                "text": record.prompt,
                "label": record.label,
                "kind": _KINDS[record.label or "no"],
                "works": _works(record) if record.label in ("yes", "style") else [],
                "lang": plain_language(record.prompt or "") or "",
                "source": "review",
            }


def _works(record: DecisionRecord) -> list[str]:
    """Titles of the works that are more likely meant than not; of the first one if there is none."""
    likely = [match["title"] for match in record.matches if match["risk"] >= LIKELY]
    return list(dict.fromkeys(likely)) or [match["title"] for match in record.matches[:1]]


def _one(connection: sa.Connection, record_id: int) -> DecisionRecord:
    row = connection.execute(sa.select(decisions).where(decisions.c.id == record_id)).mappings().one_or_none()
    if row is None:
        raise InvalidArgumentError("record_id", "be the id of a recorded decision", record_id)
    return DecisionRecord(**row)
