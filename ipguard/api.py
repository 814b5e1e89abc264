"""``ipguard.score`` and ``ipguard.score_many``: the default guard, made once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ipguard.guard import Purpose, default_guard
from ipguard.verdict import Verdict


def score(
    prompt: str,
    negative_prompt: str | None = None,
    purpose: Purpose | None = None,
    *,
    allow: Iterable[str] = (),
    territory: str | None = None,
) -> Verdict:
    """Score one prompt with the default guard; see :meth:`ipguard.guard.Guard.score`.

    Parameters
    ----------
    prompt, negative_prompt, purpose, allow, territory
        As for :meth:`ipguard.guard.Guard.score`.

    Returns
    -------
    Verdict
        The answer.
    """
    return default_guard().score(prompt, negative_prompt, purpose, allow=allow, territory=territory)


def score_many(prompts: Iterable[str], **options: Any) -> list[Any]:  # noqa: ANN401
    """Score prompts with the default guard; see :meth:`ipguard.guard.Guard.score_many`.

    Parameters
    ----------
    prompts
        Any number of strings.
    options
        ``errors``, ``purpose``, ``allow`` and ``territory`` as for :meth:`ipguard.guard.Guard.score_many`.

    Returns
    -------
    list of Verdict
        In order.
    """
    return default_guard().score_many(prompts, **options)
