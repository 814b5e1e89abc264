"""What ipguard is held against: lists, bags of words, sentence vectors, and the length of a prompt.

Each baseline is fitted on the prompts that it is given and returns a function that scores texts. Those that learn
nothing take the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from accuracy_minilm import MiniLM, tuned_encoder
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from ipguard import Guard
from ipguard.evaluation.data import Example
from ipguard.evaluation.scores import name_list_scores
from ipguard.evidence.finder import Finder
from ipguard.matching.names import NameMatcher

Float = npt.NDArray[np.float64]
Score = Callable[[Sequence[str]], Float]
Fit = Callable[[Sequence[Example]], Score]
BATCH = 256


def _classifier(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=2000, class_weight="balanced")


def _truth(examples: Sequence[Example]) -> npt.NDArray[np.bool_]:
    return np.array([example.label == "yes" for example in examples], dtype=bool)


def _texts(examples: Sequence[Example]) -> list[str]:
    return [example.text for example in examples]


def exact_list(guard: Guard) -> Fit:
    """Return the length of the longest name of the catalogue, on word boundaries, after case folding."""
    return lambda _: lambda texts: name_list_scores(guard, texts)


def normalised_list(guard: Guard) -> Fit:
    """Return the length of the longest name in the library's own normalised views, disguises undone, without senses."""
    matcher = NameMatcher(guard.compiled)

    def score(texts: Sequence[str]) -> Float:
        found = [[hit.length for hit in matcher.find(text) if hit.readings] for text in texts]
        return np.array([max(lengths, default=0) for lengths in found], dtype=np.float64)

    return lambda _: score


def nearest_description(finder: Finder) -> Fit:
    """Return the largest cosine between the prompt or one of its clauses and a description of the catalogue."""

    def score(texts: Sequence[str]) -> Float:
        found: list[float] = []
        for start in range(0, len(texts), BATCH):
            for evidence in finder.find(texts[start : start + BATCH]):
                nearest = evidence.descriptions.nearest if evidence.descriptions else {}
                found.append(max((near.similarity for near in nearest.values()), default=0.0))
        return np.array(found, dtype=np.float64)

    return lambda _: score


def length_only(examples: Sequence[Example]) -> Score:
    """Fit logistic regression on the numbers of characters, words and commas: what the writing itself gives away."""

    def rows(texts: Sequence[str]) -> Float:
        return np.log1p([[len(t), len(t.split()), sum(map(t.count, ",、，"))] for t in texts])

    model = make_pipeline(StandardScaler(), _classifier(1.0)).fit(rows(_texts(examples)), _truth(examples))
    return lambda texts: model.decision_function(rows(texts))


def bag_of_words(examples: Sequence[Example]) -> Score:
    """Fit logistic regression on tf-idf of words, pairs of words and character 2- to 4-grams."""
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=3, sublinear_tf=True),
    )
    model = make_pipeline(features, _classifier(10.0)).fit(_texts(examples), _truth(examples))
    return model.decision_function


def sentence_vectors(encoder: MiniLM) -> Fit:
    """Fit logistic regression on the vectors of all-MiniLM-L6-v2."""

    def fit(examples: Sequence[Example]) -> Score:
        model = _classifier(10.0).fit(encoder.encode(_texts(examples)), _truth(examples))
        return lambda texts: model.decision_function(encoder.encode(texts))

    return fit


def few_shot(encoder: MiniLM) -> Fit:
    """Fine-tune the last layer of all-MiniLM-L6-v2 on pairs of prompts as SetFit does, then fit logistic regression."""

    def fit(examples: Sequence[Example]) -> Score:
        encode = tuned_encoder(encoder, _texts(examples), _truth(examples))
        model = _classifier(10.0).fit(encode(_texts(examples)), _truth(examples))
        return lambda texts: model.decision_function(encode(texts))

    return fit


def baselines(guard: Guard, finder: Finder, cache: Path | None, *, sentence: bool = True) -> dict[str, Fit]:
    """Return all baselines by name.

    Parameters
    ----------
    guard, finder
        Whose catalogue and vectors the lists and the cosine use.
    cache
        Folder that keeps sentence vectors between runs.
    sentence
        Whether to fit those that need torch and the package of MiniLM.

    Returns
    -------
    dict
        Name to what fits it.
    """
    found: dict[str, Fit] = {
        "exact list": exact_list(guard),
        "normalised list": normalised_list(guard),
        "cosine to descriptions": nearest_description(finder),
        "length only": length_only,
        "tf-idf + logistic regression": bag_of_words,
    }
    if sentence:
        encoder = MiniLM(cache)
        found["MiniLM + logistic regression"] = sentence_vectors(encoder)
        found["MiniLM, last layer tuned on pairs (SetFit)"] = few_shot(encoder)
    return found
