"""The pipeline: from prompts to verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, Literal, overload

import msgspec
import numpy as np

from ipguard.catalogue.build import compile_catalogue, load_or_build
from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.catalogue.store import Catalogue
from ipguard.classifier.bundle import Bundle
from ipguard.classifier.head import Float, combine, logit, sigmoid
from ipguard.errors import InvalidArgumentError, InvalidPromptError, IpguardError
from ipguard.evidence.candidates import PromptEvidence
from ipguard.evidence.features import as_matrix, feature_rows, prompt_features
from ipguard.evidence.finder import Finder
from ipguard.policy.decide import Judged, Limits, decide, permits, rules_of
from ipguard.policy.rules import Policy, check_thresholds
from ipguard.settings import Settings
from ipguard.verdict import Verdict
from ipguard.wording import Scored, empty_verdict, make_verdict

MAX_CHARS = 100_000
"""Characters of a prompt that are scored; the rest makes the verdict truncated."""
BATCH = 256
Purpose = Literal["image", "video", "text"]


@dataclass(frozen=True, slots=True)
class _Options:
    """What one call asks for."""

    policy: Policy
    limits: Limits
    territory: str | None
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
        self.policy = _policy(policy)
        defaults = self._bundle.manifest.thresholds
        block_at = _first(block, self.policy.block, defaults.block)
        review_at = _first(review, self.policy.review, min(defaults.review, block_at))
        check_thresholds(review_at, block_at)
        self._limits = Limits(review_at, block_at)
        self._shift = float(logit(prior) - logit(self._bundle.head.prior)) if prior is not None else 0.0
        compiled = _compiled(catalogue)
        # Works that can raise the franchise risk: protected, and no mere brand.
        self._counts = [work.status == "protected" and not work.brand for work in compiled.meta.works]
        self._finder = Finder(compiled, self._bundle.encoder, self._bundle.description_table(compiled))

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild from paths and settings in another process."""
        return _rebuild, (self._arguments,)

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
        allowed = tuple(allow)
        for work in allowed:
            if work not in self.compiled.work_index:
                raise InvalidArgumentError("allow", "hold ids of works in the catalogue", work)
        if territory is not None and not (len(territory) == 2 and territory.isupper()):
            raise InvalidArgumentError("territory", "be an ISO 3166 code of two capitals", territory)
        return _Options(self.policy.permitting(allowed), self._limits, territory, purpose)

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
        franchise, style, unlisted = self._probabilities(evidence)
        verdicts = []
        at = 0
        for prompt, text, found, other in zip(prompts, texts, evidence, unlisted, strict=True):
            rows = slice(at, at + len(found.candidates))
            at = rows.stop
            if not text.strip():
                verdicts.append(empty_verdict(self.model_version, self.catalogue_version))
                continue
            truncated = len(prompt) > len(text)
            verdicts.append(
                self._judge(found, franchise[rows], style[rows], float(other), options, truncated=truncated)
            )
        return verdicts

    def _probabilities(self, evidence: list[PromptEvidence]) -> tuple[Float, Float, Float]:
        """Probability of each candidate in each category, and log-odds of an unlisted work a prompt."""
        head = self._bundle.head
        rows = as_matrix([feature_rows(self.compiled, found) for found in evidence])
        prompts = np.stack([prompt_features(found) for found in evidence]) if evidence else np.zeros((0, 1))
        return (
            sigmoid(head.franchise.decision(rows)),
            sigmoid(head.style.decision(rows)),
            head.unlisted.decision(prompts.astype(np.float32)) if evidence else np.zeros(0),
        )

    def _judge(
        self,
        found: PromptEvidence,
        franchise: Float,
        style: Float,
        unlisted: float,
        options: _Options,
        *,
        truncated: bool,
    ) -> Verdict:
        head, works, items = self._bundle.head, self.compiled.meta.works, self.compiled.subjects.columns["item"]
        protected = np.array([self._counts[c.work] for c in found.candidates], dtype=bool)
        named = np.array([bool(c.hits) for c in found.candidates], dtype=bool)

        chances = np.append(franchise, combine(franchise[protected], named[protected]))
        *each, risk = self._risk(chances, unlisted).tolist()
        risks = [one if counts else 0.0 for one, counts in zip(each, protected.tolist(), strict=True)]
        judged = [
            Judged(
                work=works[c.work].id,
                items=tuple(dict.fromkeys(i for n in c.hits if (i := items[n.reading.subject]))),
                rights_holders=works[c.work].rights_holders,
                media=works[c.work].media,
                risk=risk,
                protected=bool(is_protected),
            )
            for c, risk, is_protected in zip(found.candidates, risks, protected, strict=True)
        ]
        rules = rules_of(options.policy, judged, options.territory)
        residual = risk
        if any(rules):
            kept = protected & ~np.array(permits(rules), dtype=bool)
            residual = float(self._risk(combine(franchise[kept], named[kept]), unlisted))
        style_chance = combine(style[protected], named[protected])
        style_risk = float(sigmoid(head.style_risk.decision(style_chance, 0.0)))
        outcome = decide(options.policy, options.limits, judged, rules, residual, style_risk, truncated=truncated)
        scored = Scored(
            evidence=found,
            risk=risk,
            residual_risk=residual,
            style_risk=style_risk,
            candidate_risks=tuple(risks),
            outcome=outcome,
            truncated=truncated,
        )
        return make_verdict(self.compiled, scored, self.model_version, self.catalogue_version)

    def _risk(self, chance: Float | float, unlisted: float) -> Float:
        """Calibrated risk where the chance of a listed work and the log-odds of an unlisted one are given."""
        return sigmoid(self._bundle.head.risk.decision(chance, unlisted) + self._shift)


def _rebuild(arguments: dict[str, Any]) -> Guard:
    return Guard(**arguments)


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)


def _check(prompt: object) -> str | InvalidPromptError:
    return prompt if isinstance(prompt, str) else InvalidPromptError("prompt", "be a string", prompt)


def _compiled(catalogue: Catalogue | str | Path | None) -> CompiledCatalogue:
    if isinstance(catalogue, Catalogue):
        return compile_catalogue(catalogue)
    if catalogue is None:
        return load_or_build()
    path = Path(catalogue)
    return load_or_build(path) if path.is_dir() else CompiledCatalogue.read(path)


def _policy(policy: Policy | str | Path | None) -> Policy:
    if policy is None:
        return Policy()
    return policy if isinstance(policy, Policy) else Policy.load(policy)


_lock = Lock()


@lru_cache(maxsize=1)
def _made() -> Guard:
    return Guard()


def default_guard() -> Guard:
    """Return the guard that the module functions use, with settings from the environment at first use."""
    with _lock:
        return _made()
