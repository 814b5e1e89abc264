"""What one would use instead: each scorer turns prompts into numbers, higher for more at risk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ipguard import Guard

Float = npt.NDArray[np.float64]


class Scorer(Protocol):
    """Scores prompts; one that learns is fitted before."""

    def fit(self, texts: Sequence[str], risky: npt.NDArray[np.bool_]) -> None:
        """Learn from labelled prompts."""

    def scores(self, texts: Sequence[str]) -> Float:
        """Return a number a prompt."""


@dataclass(frozen=True)
class Peer:
    """How a scorer is made and how far it is measured.

    Attributes
    ----------
    name
        Shown.
    make
        Makes the scorer; raises ImportError where a library is missing.
    learns
        Whether it must be fitted, and is therefore cross-validated.
    most
        Prompts that it is asked, where all would take hours.
    """

    name: str
    make: Callable[[], Scorer]
    learns: bool = False
    most: int | None = None


class _Lists:
    """Scorers over a list of names have nothing to learn: the longest name found is the score."""

    def fit(self, texts: Sequence[str], risky: npt.NDArray[np.bool_]) -> None:
        """Do nothing."""

    def scores(self, texts: Sequence[str]) -> Float:
        """See :class:`Scorer`."""
        return np.array([max(self.lengths(text), default=0) for text in texts], dtype=np.float64)

    def lengths(self, text: str) -> Iterable[int]:
        """Lengths of the names in a text."""
        raise NotImplementedError


class AhoCorasick(_Lists):
    """pyahocorasick over the folded names; a match counts on word boundaries."""

    def __init__(self, names: Sequence[str]) -> None:
        import ahocorasick

        self._automaton = ahocorasick.Automaton()
        for name in names:
            self._automaton.add_word(name, len(name))
        self._automaton.make_automaton()

    def lengths(self, text: str) -> Iterable[int]:
        """See :class:`_Lists`."""
        lowered = f" {text.casefold()} "
        for last, length in self._automaton.iter(lowered):
            inside = (lowered[last - length : last - length + 2], lowered[last : last + 2])
            if not any(pair.isalnum() and pair.isascii() for pair in inside):
                yield length


class FlashText(_Lists):
    """FlashText's trie over words."""

    def __init__(self, names: Sequence[str]) -> None:
        from flashtext import KeywordProcessor

        self._processor = KeywordProcessor()
        self._processor.add_keywords_from_list(list(names))

    def lengths(self, text: str) -> Iterable[int]:
        """See :class:`_Lists`."""
        return map(len, self._processor.extract_keywords(text))


class SpacyPhrases(_Lists):
    """spaCy's PhraseMatcher on lower-cased tokens of a blank model."""

    def __init__(self, names: Sequence[str]) -> None:
        import spacy
        from spacy.matcher import PhraseMatcher

        self._pipeline = spacy.blank("xx")
        self._matcher = PhraseMatcher(self._pipeline.vocab, attr="LOWER")
        self._matcher.add("name", [self._pipeline.make_doc(name) for name in names])

    def lengths(self, text: str) -> Iterable[int]:
        """See :class:`_Lists`."""
        return (len(span.text) for span in self._matcher(self._pipeline.make_doc(text), as_spans=True))


class RapidFuzz(_Lists):
    """RapidFuzz: the best partial ratio of any name of five letters and more."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = [name for name in names if len(name) >= 5]

    def lengths(self, text: str) -> Iterable[int]:
        """See :class:`_Lists`."""
        from rapidfuzz import fuzz, process

        found = process.extractOne(text.casefold(), self._names, scorer=fuzz.partial_ratio)
        return [found[1]] if found else []


class BanSubstrings(_Lists):
    """llm-guard's scanner over the same names: it says only whether one occurs."""

    def __init__(self, names: Sequence[str]) -> None:
        from llm_guard.input_scanners import BanSubstrings as Scanner
        from llm_guard.input_scanners.ban_substrings import MatchType

        self._scanner = Scanner(substrings=list(names), match_type=MatchType.WORD, case_sensitive=False)

    def lengths(self, text: str) -> Iterable[int]:
        """See :class:`_Lists`."""
        _, valid, _ = self._scanner.scan(text)
        return [int(not valid)]


class _Linear:
    """Logistic regression over vectors of prompts."""

    def __init__(self, vectors: Callable[[Sequence[str]], Any], strength: float = 1.0) -> None:
        from sklearn.linear_model import LogisticRegression

        self._vectors = vectors
        self._model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)

    def fit(self, texts: Sequence[str], risky: npt.NDArray[np.bool_]) -> None:
        """See :class:`Scorer`."""
        self._model.fit(self._vectors(texts), risky)

    def scores(self, texts: Sequence[str]) -> Float:
        """See :class:`Scorer`."""
        return np.asarray(self._model.decision_function(self._vectors(texts)), dtype=np.float64)


class Words(_Linear):
    """tf-idf of words and pairs of words, and logistic regression."""

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
        super().__init__(self._words.transform, 10)

    def fit(self, texts: Sequence[str], risky: npt.NDArray[np.bool_]) -> None:
        """See :class:`Scorer`."""
        self._words.fit(texts)
        super().fit(texts, risky)


def static(folder: Path) -> _Linear:
    """Our table in model2vec's own encoder, and logistic regression: the floor, for what it can say."""
    from model2vec import StaticModel
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    table = load_file(folder / "model.safetensors")
    vectors = table["embeddings"].astype(np.float32) * table["weights"].astype(np.float32)[:, None]
    model = StaticModel(vectors, Tokenizer.from_file(str(folder / "tokenizer.json")), normalize=True)
    # model2vec gives a vector that is not a number for a text without a known token.
    return _Linear(lambda texts: np.nan_to_num(model.encode(list(texts))), 30)


def transformer(folder: str) -> _Linear:
    """A Sentence Transformers model on torch, 32 texts at a time, and logistic regression."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu")
    return _Linear(lambda texts: model.encode(list(texts), batch_size=32, show_progress_bar=False), 3)


class Router:
    """semantic-router: the route, risky or clean, whose examples are nearest, by a local encoder."""

    def __init__(self, folder: str) -> None:
        from semantic_router.encoders import DenseEncoder
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(folder, device="cpu")

        class Local(DenseEncoder):
            name: str = "local"

            def __call__(self, docs: list[Any]) -> list[list[float]]:
                return list(model.encode(docs, batch_size=32, show_progress_bar=False).tolist())

        self._encoder = Local()
        self._router: Any = None

    def fit(self, texts: Sequence[str], risky: npt.NDArray[np.bool_]) -> None:
        """See :class:`Scorer`."""
        from semantic_router import Route
        from semantic_router.routers import IndexedRouter

        routes = [
            Route(name=name, utterances=[t for t, r in zip(texts, risky, strict=True) if bool(r) is wanted])
            for name, wanted in (("risky", True), ("clean", False))
        ]
        self._router = IndexedRouter(self._encoder, routes, confidence_threshold=0.0)

    def scores(self, texts: Sequence[str]) -> Float:
        """See :class:`Scorer`."""
        found = [self._router(text) for text in texts]
        signs = [1.0 if choice.name == "risky" else -1.0 for choice in found]
        return np.array([sign * (choice.confidence or 0.0) for sign, choice in zip(signs, found, strict=True)])


class Ours(_Lists):
    """ipguard's risk. Its accuracy is read from the bundle, which was trained on prompts like these."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def scores(self, texts: Sequence[str]) -> Float:
        """See :class:`Scorer`."""
        return np.array([verdict.risk for verdict in self._guard.score_many(texts)])


def peers(guard: Guard, encoder: Path, minilm: str | None) -> list[Peer]:
    """Return all scorers, ours first.

    Parameters
    ----------
    guard
        Ours, whose names the lists take.
    encoder
        Folder of the static table.
    minilm
        Folder of all-MiniLM-L6-v2, or None to leave out what needs it.
    """
    names = sorted({text.casefold() for text in guard.compiled.texts if text.strip()})
    found = [
        Peer("ipguard", lambda: Ours(guard)),
        Peer("static encoder (model2vec) + logistic regression", lambda: static(encoder), learns=True),
        Peer("pyahocorasick, the same names", lambda: AhoCorasick(names)),
        Peer("FlashText, the same names", lambda: FlashText(names)),
        Peer("spaCy PhraseMatcher, the same names", lambda: SpacyPhrases(names)),
        Peer("RapidFuzz over the names", lambda: RapidFuzz(names), most=40),
        Peer("llm-guard BanSubstrings, the same names", lambda: BanSubstrings(names), most=8),
        Peer("tf-idf + logistic regression", Words, learns=True),
    ]
    if minilm:
        found += [
            Peer("MiniLM (torch) + logistic regression", lambda: transformer(minilm), learns=True, most=200),
            Peer("semantic-router, MiniLM", lambda: Router(minilm), learns=True, most=60),
        ]
    return found
