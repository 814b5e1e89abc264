"""The check that every adapter makes: score texts, and say whether they may pass."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ipguard.errors import InvalidArgumentError, InvalidPromptError, IpguardError
from ipguard.guard import Guard, Purpose, default_guard
from ipguard.integrations.contents import Contents, contents_of
from ipguard.verdict import Verdict

Status = Literal["passed", "refused", "failed"]
Language = Literal["en", "ja"]
GuardSource: TypeAlias = Guard | Callable[[], Guard] | None

NOT_CHECKED, NOT_TEXT, TRUNCATED, EMPTY = "not_checked", "not_text", "truncated", "empty"
"""Reason codes beside those of verdicts."""

_SENTENCES: dict[str, dict[Language, str]] = {
    "refused": {
        "en": "This request may reproduce a protected work, so it was not carried out. Please describe something of "
        "your own instead.",
        "ja": "保護されている作品を再現するおそれがあるため、このリクエストは実行されませんでした。"
        "オリジナルの内容でお試しください。",
    },
    NOT_TEXT: {
        "en": "This request holds something other than text, which cannot be checked, so it was not carried out.",
        "ja": "確認できない内容（テキスト以外）が含まれているため、このリクエストは実行されませんでした。",
    },
    TRUNCATED: {
        "en": "This request is too long to be checked, so it was not carried out.",
        "ja": "リクエストが長すぎて確認できないため、実行されませんでした。",
    },
    "failed": {
        "en": "This request could not be checked, so it was not carried out. Please try again later.",
        "ja": "このリクエストは確認できなかったため、実行されませんでした。しばらくしてからもう一度お試しください。",
    },
}
_log = logging.getLogger("ipguard.integrations")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether something may pass, and why.

    Attributes
    ----------
    status
        ``"passed"`` and ``"refused"`` were scored; ``"failed"`` was not, or not all of it.
    allowed
        Whether it may go on. A failure may only where the check is set to fail open; `status` tells it from a pass.
    reason_code
        Stable code for programs and end users; holds no catalogue term.
    verdict
        The verdict that decided, for operators; None where there is none.
    error
        What went wrong, for operators; None where nothing did.
    """

    status: Status
    allowed: bool
    reason_code: str
    verdict: Verdict | None = None
    error: str | None = None

    @property
    def http_status(self) -> int:
        """The status that answers what is not allowed: 400 for what was asked, 503 where the guard broke."""
        return 503 if self.reason_code == NOT_CHECKED else 400

    def sentence(self, lang: Language = "en") -> str:
        """Return what an end user may read: one neutral sentence, the same for every work.

        Parameters
        ----------
        lang
            ``"en"`` or ``"ja"``.

        Returns
        -------
        str
            Empty if it may go on.
        """
        if self.allowed:
            return ""
        kind = self.reason_code if self.status == "failed" else "refused"
        return _SENTENCES.get(kind, _SENTENCES["failed"])[lang]

    def to_dict(self) -> dict[str, Any]:
        """Return everything that operators may see, as JSON-ready data."""
        return {
            "status": self.status,
            "allowed": self.allowed,
            "reason_code": self.reason_code,
            "verdict": self.verdict.to_dict() if self.verdict else None,
            "error": self.error,
        }


class PromptRefusedError(IpguardError):
    """A prompt may not go on. The message is the neutral sentence for end users.

    Parameters
    ----------
    sentence
        For end users.
    outcome
        For operators.
    """

    def __init__(self, sentence: str, outcome: Outcome) -> None:
        self.sentence, self.outcome = sentence, outcome
        super().__init__(sentence)

    def __reduce__(self) -> tuple[type[PromptRefusedError], tuple[str, Outcome]]:
        """Rebuild from the two parts."""
        return type(self), (self.sentence, self.outcome)


@dataclass(frozen=True)
class Check:
    """Scores texts with one set of options and says whether they may pass. Thread-safe.

    A wrong option or a model that cannot be loaded shows when the check is made, not at the first request.

    Attributes
    ----------
    guard
        A guard; a function that returns the guard of the moment, for policies that change while a service runs; or
        None for the shared one.
    purpose, territory, allow
        As for :meth:`~ipguard.guard.Guard.score`.
    refuse
        The mildest decision that is refused: ``"block"``, or ``"review"`` where nobody reviews.
    fail
        What follows where a text cannot be scored: ``"closed"`` refuses it, ``"open"`` lets it go on. Both are logged
        as errors.
    media
        What follows where a message holds an image, audio, a file or anything else that is not text:
        ``"refuse"``, or ``"pass"`` where something else looks at it.
    lang
        Language of the sentence for end users.
    on_outcome
        Called with each text that was scored and its outcome, for records. If it raises, a text that would have
        passed counts as not checked.
    """

    guard: GuardSource = None
    purpose: Purpose | None = None
    territory: str | None = None
    allow: Sequence[str] = ()
    refuse: Literal["block", "review"] = "block"
    fail: Literal["closed", "open"] = "closed"
    media: Literal["refuse", "pass"] = "refuse"
    lang: Language = "en"
    on_outcome: Callable[[str, Outcome], object] | None = None

    def __post_init__(self) -> None:
        """Refuse what a guard would refuse later."""
        for name, allowed in (
            ("refuse", ("block", "review")),
            ("fail", ("closed", "open")),
            ("media", ("refuse", "pass")),
            ("lang", ("en", "ja")),
        ):
            if getattr(self, name) not in allowed:
                raise InvalidArgumentError(name, f"be one of {', '.join(allowed)}", getattr(self, name))
        if not isinstance(self.allow, str):
            object.__setattr__(self, "allow", tuple(self.allow))
        self._scored([""])

    def run(self, text: str) -> Outcome:
        """Check one text.

        Parameters
        ----------
        text
            A prompt.

        Returns
        -------
        Outcome
            Never an exception: what cannot be scored has failed.
        """
        return self.run_many([text])[0]

    def run_many(self, texts: Sequence[str]) -> list[Outcome]:
        """Check texts in one batch.

        Parameters
        ----------
        texts
            Prompts.

        Returns
        -------
        list of Outcome
            One each, in order.
        """
        try:
            found = self._scored(texts)
        except Exception as error:  # noqa: BLE001 - whatever broke, the fail mode decides
            _log.exception("%d texts were not checked; fail mode: %s", len(texts), self.fail)
            return [self._failed(error)] * len(texts)
        return [self._reported(text, self._outcome(one)) for text, one in zip(texts, found, strict=True)]

    def run_contents(self, values: Sequence[object]) -> list[Outcome]:
        """Check messages, or whatever else holds texts, in one batch.

        Parameters
        ----------
        values
            Anything that :func:`~ipguard.integrations.contents.contents_of` reads.

        Returns
        -------
        list of Outcome
            One a value: the strictest over its texts and its other parts.
        """
        found = [contents_of(value) for value in values]
        outcomes = iter(self.run_many([text for contents in found for text in contents.texts]))
        return [self._of_contents(contents, [next(outcomes) for _ in contents.texts]) for contents in found]

    def run_all(self, values: Sequence[object]) -> Outcome:
        """Check messages, or whatever else holds texts, as one request.

        Parameters
        ----------
        values
            As for :meth:`run_contents`.

        Returns
        -------
        Outcome
            The strictest.
        """
        return strictest(self.run_contents(values))

    async def arun_contents(self, values: Sequence[object]) -> list[Outcome]:
        """Do as :meth:`run_contents` without blocking the event loop.

        Parameters
        ----------
        values
            As for :meth:`run_contents`.

        Returns
        -------
        list of Outcome
            One a value.
        """
        return await asyncio.to_thread(self.run_contents, values)

    async def arun_all(self, values: Sequence[object]) -> Outcome:
        """Do as :meth:`run_all` without blocking the event loop.

        Parameters
        ----------
        values
            As for :meth:`run_contents`.

        Returns
        -------
        Outcome
            The strictest.
        """
        return await asyncio.to_thread(self.run_all, values)

    def error(self, outcome: Outcome) -> PromptRefusedError:
        """Return the error that refuses what may not go on.

        Parameters
        ----------
        outcome
            One that is not allowed.

        Returns
        -------
        PromptRefusedError
            To be raised.
        """
        return PromptRefusedError(outcome.sentence(self.lang), outcome)

    def current_guard(self) -> Guard:
        """Return the guard that scores now."""
        if self.guard is None:
            return default_guard()
        return self.guard if isinstance(self.guard, Guard) else self.guard()

    def _scored(self, texts: Sequence[str]) -> list[Verdict | IpguardError]:
        return self.current_guard().score_many(
            texts, errors="return", purpose=self.purpose, allow=self.allow, territory=self.territory
        )

    def _outcome(self, found: Verdict | IpguardError) -> Outcome:
        if isinstance(found, IpguardError):
            # A prompt that is no string may still hold one, which has no place in a log.
            said = found.rule if isinstance(found, InvalidPromptError) else found
            _log.error("a text was not checked: it must %s; fail mode: %s", said, self.fail)
            return self._failed(found)
        if found.decision in {"block", self.refuse}:
            return Outcome("refused", allowed=False, reason_code=found.reason_code, verdict=found)
        if found.truncated:
            _log.error("a text was too long to be scored whole; fail mode: %s", self.fail)
            return Outcome("failed", self.fail == "open", TRUNCATED, found, "Text beyond the limit was not scored.")
        return Outcome("passed", allowed=True, reason_code=found.reason_code, verdict=found)

    def _reported(self, text: str, outcome: Outcome) -> Outcome:
        if outcome.status == "refused":
            _log.info("refused: %s", outcome.reason_code)
        if self.on_outcome is None:
            return outcome
        try:
            self.on_outcome(text, outcome)
        except Exception as error:  # noqa: BLE001 - whatever broke, the fail mode decides
            _log.exception("an outcome was not recorded; fail mode: %s", self.fail)
            # What was refused stays so, whatever the fail mode.
            return self._failed(error) if outcome.allowed else outcome
        return outcome

    def _failed(self, error: Exception) -> Outcome:
        return Outcome("failed", self.fail == "open", NOT_CHECKED, error=f"{type(error).__name__}: {error}")

    def _of_contents(self, contents: Contents, outcomes: list[Outcome]) -> Outcome:
        if contents.others:
            kinds = ", ".join(sorted(set(contents.others)))
            _log.log(
                logging.INFO if self.media == "pass" else logging.WARNING, "not text: %s; media: %s", kinds, self.media
            )
            error = f"Not text, so not scored: {kinds}."
            outcomes = [*outcomes, Outcome("failed", self.media == "pass", NOT_TEXT, error=error)]
        return strictest(outcomes)


def strictest(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome that decides for all.

    Parameters
    ----------
    outcomes
        Any number.

    Returns
    -------
    Outcome
        One that is not allowed before one that is, a refusal before a failure, a failure before a pass, then the
        higher risk. Without any, a pass with the code ``"empty"``.
    """

    def rank(outcome: Outcome) -> tuple[bool, int, float]:
        severity = {"passed": 0, "failed": 1, "refused": 2}[outcome.status]
        return not outcome.allowed, severity, outcome.verdict.risk if outcome.verdict else 0.0

    return max(outcomes, key=rank, default=Outcome("passed", allowed=True, reason_code=EMPTY))
