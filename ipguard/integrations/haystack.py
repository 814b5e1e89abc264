"""Haystack: a component that parts prompts into allowed and refused ones."""

from __future__ import annotations

from typing import Any

from ipguard.errors import InvalidArgumentError, MissingExtraError
from ipguard.integrations.check import Check

try:
    from haystack import component, default_from_dict, default_to_dict
except ImportError:
    raise MissingExtraError("ipguard.integrations.haystack", "haystack") from None


@component
class PromptGuard:
    """Component that takes prompts and gives the allowed ones, and the refused ones with the reason of each.

    Parameters
    ----------
    check
        What is refused; None to make a check of the options, which alone can be written to a pipeline file.
    options
        Options of a :class:`~ipguard.integrations.check.Check`, in place of `check`.
    """

    def __init__(self, check: Check | None = None, **options: Any) -> None:  # noqa: ANN401
        self._options = None if check else options
        self._check = check or Check(**options)

    def to_dict(self) -> dict[str, Any]:
        """Return the component for a pipeline file.

        Returns
        -------
        dict
            Its type and options.

        Raises
        ------
        InvalidArgumentError
            If it was made of a check and not of options.
        """
        if self._options is None:
            raise InvalidArgumentError("check", "be None to write the component to a file", self._check)
        return dict(default_to_dict(self, **self._options))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PromptGuard:
        """Return the component of a pipeline file.

        Parameters
        ----------
        data
            What :meth:`to_dict` gave.

        Returns
        -------
        PromptGuard
            The same component.
        """
        made: PromptGuard = default_from_dict(cls, data)
        return made

    @component.output_types(allowed=list[str], refused=list[dict[str, Any]])
    def run(self, prompts: list[str]) -> dict[str, Any]:
        """Check prompts.

        Parameters
        ----------
        prompts
            What users ask for.

        Returns
        -------
        dict
            ``allowed``: prompts in order. ``refused``: for each a ``prompt``, the neutral ``sentence`` for end users,
            and what :meth:`~ipguard.integrations.check.Outcome.to_dict` gives, for operators.
        """
        checked = list(zip(prompts, self._check.run_many(prompts), strict=True))
        return {
            "allowed": [prompt for prompt, outcome in checked if outcome.allowed],
            "refused": [
                {"prompt": prompt, "sentence": outcome.sentence(self._check.lang), **outcome.to_dict()}
                for prompt, outcome in checked
                if not outcome.allowed
            ],
        }
