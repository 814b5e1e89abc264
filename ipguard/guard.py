"""The pipeline: from prompts to verdicts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, Literal, overload

import msgspec

from ipguard.catalogue.build import compiled_from
from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.catalogue.store import Catalogue
from ipguard.classifier.bundle import Bundle
from ipguard.classifier.head import logit
from ipguard.errors import InvalidArgumentError, InvalidPromptError, IpguardError
from ipguard.evidence.finder import Finder
from ipguard.judging import Judge, Terms
from ipguard.policy.binding import BoundPolicy
from ipguard.policy.decide import limits_in_force
from ipguard.policy.rules import Policy, check_thresholds
from ipguard.policy.territories import check_territory
from ipguard.settings import Settings
from ipguard.verdict import Verdict
from ipguard.wording import empty_verdict

MAX_CHARS = 100_000
"""Characters of a prompt that are scored; the rest makes the verdict truncated."""
BATCH = 256
Purpose = Literal["image", "video", "text"]


@dataclass(frozen=True, slots=True)
class _Options:
    """What one call asks for."""

    terms: Terms
    purpose: Purpose | None


class Guard:
    """Scores prompts. Thread-safe after construction; pickled by path and settings, not by content.

    Parameters
    ----------
    model
        Folder of a model bundle; None for ``IPGUARD_MODEL`` or the one that is shipped.
    catalogue
        A :class:`~ipguard.catalogue.store.Catalogue`, a compiled file, or a catalogue folder; None for
        ``IPGUARD_CATALOGUE`` or the one that is shipped.
    policy
        A :class:`~ipguard.policy.rules.Policy` or a policy file; None for ``IPGUARD_POLICY`` or no rules.
    review, block
        Thresholds in [0, 1] that override those of the policy and the model.
    prior
        Share of prompts at risk where the guard is used, in (0, 1); shifts the log-odds from the prior that
        the model was calibrated for.

    Raises
    ------
    BundleError, CatalogueError, PolicyError
        If one of them cannot be used.
    InvalidArgumentError
        If a threshold or the prior is out of range.
    """

    def __init__(
        self,
        *,
        model: str | Path | None = None,
        catalogue: Catalogue | str | Path | None = None,
        policy: Policy | str | Path | None = None,
        review: float | None = None,
        block: float | None = None,
        prior: float | None = None,
    ) -> None:
        if prior is not None and not 0 < prior < 1:
            raise InvalidArgumentError("prior", "lie between 0 and 1", prior)
        check_thresholds(review, block)
        settings = Settings.from_environment()
        model, catalogue = model or settings.model, catalogue or settings.catalogue
        policy = policy or settings.policy
        self._arguments: dict[str, Any] = {
            "model": model, "catalogue": catalogue, "policy": policy, "review": review, "block": block, "prior": prior,
        }  # fmt: skip
        self._bundle = Bundle.load(model)
        self._shift = float(logit(prior) - logit(self._bundle.head.prior)) if prior is not None else 0.0
        self._use_catalogue(catalogue)
        chosen = Policy() if policy is None else policy
        self._use_policy(chosen if isinstance(chosen, Policy) else Policy.load(chosen))

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild from paths and settings in another process."""
        return partial(Guard, **self._arguments), ()

    def _use_policy(self, policy: Policy) -> None:
        given, default = self._arguments, self._bundle.manifest.thresholds
        limits = limits_in_force(given["review"], given["block"], policy, (default.review, default.block))
        self.policy, self._limits = policy, limits
        self._bound = BoundPolicy(policy, self.compiled)

    def _use_catalogue(self, catalogue: Catalogue | str | Path | None) -> None:
        compiled = compiled_from(catalogue)
        self._finder = Finder(compiled, self._bundle.encoder, self._bundle.description_table(compiled))
        self._judge = Judge(self._bundle.head, compiled, self._shift, (self.model_version, compiled.version))

    def with_policy(self, policy: Policy) -> Guard:
        """Return a guard with another policy that shares model and catalogue with this one.

        Parameters
        ----------
        policy
            Takes the place of this guard's; thresholds given to the constructor stay in force.

        Returns
        -------
        Guard
            Made in a moment; this one is unchanged.

        Raises
        ------
        PolicyError
            If a rule names what the catalogue does not hold.
        """
        other = self._copy(policy=policy)
        other._use_policy(policy)  # noqa: SLF001 - of the same class
        return other

    def with_catalogue(self, catalogue: Catalogue | str | Path | None) -> Guard:
        """Return a guard with another catalogue that shares the model with this one.

        Parameters
        ----------
        catalogue
            As for the constructor.

        Returns
        -------
        Guard
            This one is unchanged.

        Raises
        ------
        CatalogueError
            If it cannot be used.
        PolicyError
            If a rule of this guard's policy names what it does not hold.
        """
        catalogue = catalogue or Settings.from_environment().catalogue
        other = self._copy(catalogue=catalogue)
        other._use_catalogue(catalogue)  # noqa: SLF001 - of the same class
        other._use_policy(self.policy)  # noqa: SLF001
        return other

    def _copy(self, **changed: Any) -> Guard:  # noqa: ANN401 - arguments of the constructor
        # copy.copy would go through __reduce__ and load everything again.
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._arguments = {**self._arguments, **changed}
        return other

    @property
    def model_version(self) -> str:
        """Name, version and hash of the bundle."""
        return self._bundle.version

    @property
    def catalogue_version(self) -> str:
        """Version and hash of the catalogue."""
        return self._finder.compiled.version

    @property
    def rules_version(self) -> str:
        """Hash of thresholds, policy and prior: with the two versions above, all that a verdict depends on."""
        return sha256(msgspec.json.encode((self._limits, self.policy, self._shift))).hexdigest()[:8]

    @property
    def compiled(self) -> CompiledCatalogue:
        """The catalogue as it is matched."""
        return self._finder.compiled

    def rights_holder(self, party_id: str) -> str:
        """Return the English name of a rights holder, or the id itself where the catalogue has none."""
        return self.compiled.meta.parties.get(party_id, party_id)

    @property
    def thresholds(self) -> tuple[float, float]:
        """Review and block thresholds in force."""
        return self._limits.review, self._limits.block

    def score(
        self,
        prompt: str,
        negative_prompt: str | None = None,
        purpose: Purpose | None = None,
        *,
        allow: Iterable[str] = (),
        territory: str | None = None,
    ) -> Verdict:
        """Score one prompt.

        Parameters
        ----------
        prompt
            What was typed for a generative model.
        negative_prompt
            What the output must not hold. Names in it never raise the risk; it is checked for being text.
        purpose
            What the model makes; None if it is not known. An image or video model draws whatever is named,
            so for these a question about a work counts as asking for it.
        allow
            Ids of works that this caller may reproduce.
        territory
            ISO 3166 code of where the output will be used.

        Returns
        -------
        Verdict
            The answer.

        Raises
        ------
        InvalidPromptError
            If a prompt is not a string.
        InvalidArgumentError
            If another argument breaks its rule.
        """
        if negative_prompt is not None and not isinstance(negative_prompt, str):
            raise InvalidPromptError("negative_prompt", "be a string or None", negative_prompt)
        return self.score_many([prompt], purpose=purpose, allow=allow, territory=territory)[0]

    @overload
    def score_many(
        self,
        prompts: Iterable[str],
        *,
        errors: Literal["raise"] = "raise",
        purpose: Purpose | None = None,
        allow: Iterable[str] = (),
        territory: str | None = None,
    ) -> list[Verdict]: ...

    @overload
    def score_many(
        self,
        prompts: Iterable[str],
        *,
        errors: Literal["return"],
        purpose: Purpose | None = None,
        allow: Iterable[str] = (),
        territory: str | None = None,
    ) -> list[Verdict | IpguardError]: ...

    def score_many(
        self,
        prompts: Iterable[str],
        *,
        errors: Literal["raise", "return"] = "raise",
        purpose: Purpose | None = None,
        allow: Iterable[str] = (),
        territory: str | None = None,
    ) -> list[Verdict] | list[Verdict | IpguardError]:
        """Score prompts in order.

        Parameters
        ----------
        prompts
            Any number of strings; not a single string.
        errors
            ``"raise"`` stops at the first prompt that cannot be scored; ``"return"`` puts the error in its
            place.
        purpose, allow, territory
            As for :meth:`score`.

        Returns
        -------
        list
            A verdict a prompt, or an error in its place.
        """
        if errors not in ("raise", "return"):
            raise InvalidArgumentError("errors", 'be "raise" or "return"', errors)
        return list(self._stream(prompts, errors == "return", self._options(purpose, allow, territory)))

    async def ascore(
        self,
        prompt: str,
        negative_prompt: str | None = None,
        purpose: Purpose | None = None,
        *,
        allow: Iterable[str] = (),
        territory: str | None = None,
    ) -> Verdict:
        """Score one prompt in a thread, so that the event loop goes on; see :meth:`score`.

        Parameters
        ----------
        prompt, negative_prompt, purpose, allow, territory
            As for :meth:`score`.

        Returns
        -------
        Verdict
            The answer.
        """
        return await asyncio.to_thread(self.score, prompt, negative_prompt, purpose, allow=allow, territory=territory)

    async def ascore_many(self, prompts: Iterable[str], **options: Any) -> list[Any]:  # noqa: ANN401
        """Score prompts in a thread, so that the event loop goes on; see :meth:`score_many`.

        Parameters
        ----------
        prompts
            Any number of strings.
        options
            ``errors``, ``purpose``, ``allow`` and ``territory`` as for :meth:`score_many`.

        Returns
        -------
        list of Verdict
            In order.
        """
        call: Callable[..., list[Any]] = self.score_many
        return await asyncio.to_thread(call, prompts, **options)

    def stream(self, prompts: Iterable[str], *, purpose: Purpose | None = None) -> Iterator[Verdict]:
        """Score prompts one batch at a time, in constant memory.

        Parameters
        ----------
        prompts
            Any number of strings.
        purpose
            As for :meth:`score`.

        Yields
        ------
        Verdict
            In order.
        """
        yield from self._stream(prompts, False, self._options(purpose, (), None))  # type: ignore[misc]  # noqa: FBT003

    def _options(self, purpose: Purpose | None, allow: Iterable[str], territory: str | None) -> _Options:
        if purpose not in (None, "image", "video", "text"):
            raise InvalidArgumentError("purpose", 'be "image", "video", "text" or None', purpose)
        if isinstance(allow, str):
            raise InvalidArgumentError("allow", "be a collection of work ids, not one string", allow)
        if territory is not None:
            check_territory("territory", territory)
        return _Options(Terms(self._bound.permitting(allow), self._limits, territory), purpose)

    def _stream(self, prompts: Iterable[str], keep_errors: bool, options: _Options) -> Iterator[Verdict | IpguardError]:
        if isinstance(prompts, (str, bytes)):
            raise InvalidArgumentError("prompts", "be a collection of strings, not one string", prompts)
        source = iter(prompts)
        while batch := list(islice(source, BATCH)):
            checked = [_check(prompt) for prompt in batch]
            failed = next((c for c in checked if isinstance(c, InvalidPromptError)), None)
            if failed is not None and not keep_errors:
                raise failed
            good = [c for c in checked if isinstance(c, str)]
            verdicts = iter(self._score_batch(good, options))
            for entry in checked:
                yield entry if isinstance(entry, InvalidPromptError) else next(verdicts)

    def _score_batch(self, prompts: list[str], options: _Options) -> list[Verdict]:
        texts = [prompt[:MAX_CHARS] for prompt in prompts]
        evidence = self._finder.find(texts, options.purpose)
        chances = self._judge.chances(evidence)
        return [
            self._judge.verdict(found, chance, options.terms, truncated=len(prompt) > len(text))
            if text.strip()
            else empty_verdict(self.model_version, self.catalogue_version)
            for prompt, text, found, chance in zip(prompts, texts, evidence, chances, strict=True)
        ]


def _check(prompt: object) -> str | InvalidPromptError:
    return prompt if isinstance(prompt, str) else InvalidPromptError("prompt", "be a string", prompt)


_lock = Lock()


@lru_cache(maxsize=1)
def _made() -> Guard:
    return Guard()


def default_guard() -> Guard:
    """Return the guard that the module functions use, with settings from the environment at first use."""
    with _lock:
        return _made()
