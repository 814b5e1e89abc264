"""guardrails-ai: a validator of prompts with error spans and a value to put in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipguard.errors import MissingExtraError
from ipguard.integrations.check import Check, Outcome
from ipguard.rewriting import rewrite

try:
    from guardrails.validator_base import (
        ErrorSpan,
        FailResult,
        PassResult,
        ValidationResult,
        Validator,
        register_validator,
    )
except ImportError:
    raise MissingExtraError("ipguard.integrations.guardrails", "guardrails") from None


@register_validator(name="ipguard/protected_works", data_type="string")
class ProtectedWorks(Validator):
    """Validator for ``Guard().use(…, on="messages")``.

    A failure names the spans of the prompt with the reason of each, for operators, and a fix: the prompt in generic
    wording, or None where that would be refused as well. The error message is the neutral sentence for end users.

    Parameters
    ----------
    check
        What is refused; None to make a check of the options.
    on_fail
        As for every validator: ``"exception"`` (the default), ``"fix"``, ``"filter"``, ``"refrain"``, ``"reask"``,
        ``"noop"`` or a function.
    options
        Options of a :class:`~ipguard.integrations.check.Check`, in place of `check`.
    """

    def __init__(
        self,
        check: Check | None = None,
        on_fail: str | Callable[..., Any] | None = None,
        **options: Any,  # noqa: ANN401
    ) -> None:
        self._check = check or Check(**options)
        super().__init__(on_fail=on_fail, use_local=True, **options)

    def _validate(self, value: str, metadata: dict[str, Any]) -> ValidationResult:
        outcome = self._check.run(value)
        if not outcome.allowed:
            return FailResult(
                error_message=outcome.sentence(self._check.lang),
                fix_value=self._fix(value, outcome),
                error_spans=self._spans(outcome),
            )
        if outcome.status == "failed":
            return PassResult(metadata={**metadata, "ipguard": outcome.to_dict()})
        return PassResult()

    def _fix(self, prompt: str, outcome: Outcome) -> str | None:
        if outcome.status != "refused":
            return None
        reworded = rewrite(prompt, guard=self._check.current_guard(), purpose=self._check.purpose).text
        return reworded if self._check.run(reworded).allowed else None

    def _spans(self, outcome: Outcome) -> list[ErrorSpan]:
        if outcome.verdict is None:
            return []
        matches = [match for match in outcome.verdict.matches if match.status == "protected"]
        review, _ = self._check.current_guard().thresholds
        # Where no work alone reaches the threshold they do so together.
        telling = [match for match in matches if match.risk >= review] or matches
        spans = dict.fromkeys((match.start, match.end, match.reason) for match in telling)
        return [ErrorSpan(start=start, end=end, reason=reason) for start, end, reason in spans]
