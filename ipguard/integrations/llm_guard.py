"""llm-guard: an input scanner. It needs nothing of llm-guard, whose protocol is one method."""

from __future__ import annotations

from ipguard.integrations.check import Check
from ipguard.rewriting import rewrite


class ProtectedWorks:
    """Scanner for ``llm_guard.scan_prompt``; results stand under the name of this class.

    Parameters
    ----------
    check
        What is refused; the default check if None.
    reword
        Whether the prompt that is handed on has generic wording in place of what was refused. It stays invalid, as
        with llm-guard's own scanners that redact.
    """

    def __init__(self, check: Check | None = None, *, reword: bool = False) -> None:
        self._check, self._reword = check or Check(), reword

    def scan(self, prompt: str) -> tuple[str, bool, float]:
        """Scan a prompt.

        Parameters
        ----------
        prompt
            What the user asks for.

        Returns
        -------
        tuple
            The prompt, whether it may go on, and its risk in [0, 1]: 1.0 where it could not be scored, so that a
            valid prompt of that risk is one that a check set to fail open let through.
        """
        outcome = self._check.run(prompt)
        risk = outcome.verdict.risk if outcome.status != "failed" and outcome.verdict else 1.0
        if self._reword and outcome.status == "refused":
            prompt = rewrite(prompt, guard=self._check.current_guard(), purpose=self._check.purpose).text
        return prompt, outcome.allowed, risk
