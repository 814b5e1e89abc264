"""From prompts to evidence: names, descriptions, and the candidates that they make."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from ipguard.catalogue.compiled import CompiledCatalogue
from ipguard.encoding.base import Encoder
from ipguard.evidence.candidates import PromptEvidence, gather, named_works
from ipguard.evidence.descriptions import DescriptionIndex
from ipguard.evidence.features import NAMES
from ipguard.evidence.table import DescriptionTable
from ipguard.matching.names import NameMatcher
from ipguard.text.language import plain_language


class Finder:
    """Finds what speaks for each work. Stateless after construction; thread-safe.

    Parameters
    ----------
    compiled
        The catalogue.
    encoder
        Makes the vectors of prompts.
    table
        Vectors of the catalogue's descriptions; None to encode them.
    """

    def __init__(self, compiled: CompiledCatalogue, encoder: Encoder, table: DescriptionTable | None = None) -> None:
        self.compiled, self.encoder = compiled, encoder
        self._matcher = NameMatcher(compiled)
        if table is None:
            table = DescriptionTable.of(encoder.encode(compiled.descriptions), compiled.description_lang)
        self._descriptions = DescriptionIndex(compiled, encoder, table)

    @property
    def fingerprint(self) -> str:
        """Hash of the catalogue, the encoder and the feature list: equal ones find the same."""
        parts = (self.compiled.meta.source, self.encoder.identity, *NAMES)
        return sha256(" ".join(parts).encode()).hexdigest()

    def find(self, prompts: Sequence[str], purpose: str | None = None) -> list[PromptEvidence]:
        """Return what is found in prompts, before it is judged.

        Parameters
        ----------
        prompts
            Strings.
        purpose
            ``image``, ``video``, ``text`` or None.

        Returns
        -------
        list of PromptEvidence
            One a prompt.
        """
        hits = [self._matcher.find(prompt) for prompt in prompts]
        wanted = [named_works(self.compiled, found) for found in hits]
        similar = self._descriptions.search(prompts, [plain_language(p) for p in prompts], wanted)
        return [
            gather(self.compiled, prompt, found, near, purpose)
            for prompt, found, near in zip(prompts, hits, similar, strict=True)
        ]
