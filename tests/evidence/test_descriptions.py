"""The search over descriptions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipguard.evidence.descriptions import TOP, _groups, _highest
from ipguard.text.clauses import clauses
from ipguard.text.language import plain_language

PROMPTS = (
    "a small yellow electric mouse with red cheeks and a tail like a bolt, in a field",
    "A boy wizard with round glasses. He waves a wand over a feast! An owl sits on the table; snow falls outside.",
    "a plumber in red overalls with a moustache jumps over a green pipe",
    "麦わら帽子をかぶった少年が海賊船の上で笑っている。空は青く、海は静か。",
    "a lake",
    "",
)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(1, 40_000))
def test_highest_by_blocks_is_exact(seed, counts, total):
    products = np.random.default_rng(seed).integers(-1000, 1000, (sum(counts), total), dtype=np.int32)
    firsts = [0, *np.cumsum(counts).tolist()]
    found = _highest(products, firsts[:-1], 8)
    assert len(found) == len(counts)
    for places, first, last in zip(found, firsts, firsts[1:], strict=False):
        assert len(places) == len(set(places.tolist())) == min(8, total)
        best = products[first:last].max(0)
        assert sorted(best[places]) == sorted(best)[total - len(places) :]


@given(st.lists(st.integers(1, 5), max_size=60))
def test_groups_hold_every_prompt_once(counts):
    firsts = [0, *np.cumsum(counts).tolist()]
    groups = list(_groups(firsts))
    assert [number for group in groups for number in group] == list(range(len(counts)))
    assert all(firsts[g.stop] - firsts[g.start] <= 16 for g in groups)


@pytest.mark.parametrize("prompt", PROMPTS[:-1])
def test_the_search_finds_what_an_exact_product_finds(guard, prompt):
    index = guard._finder._descriptions
    lang = plain_language(prompt)
    works = {guard.compiled.work_index["pokemon"], guard.compiled.work_index["one-piece"]}
    (found,) = index.search([prompt], [lang], [works])
    cut = clauses(prompt)
    texts = [prompt, *(c.text for c in cut if len(cut) > 1)]
    rows = index._centred(index.encoder.encode(texts), [lang], [len(texts)])
    similarity = index._table.similarity(rows, np.arange(len(index._table.rows))).max(0)
    expected = {}
    for place in np.argsort(-similarity)[:TOP].tolist():
        expected.setdefault(int(index._work[place]), similarity[place])
    for work in works:
        expected[work] = similarity[index._of(work)].max()
    assert {w: n.similarity for w, n in found.nearest.items()} == pytest.approx(expected, abs=1e-5)


def test_a_batch_finds_what_single_prompts_find(guard):
    index = guard._finder._descriptions
    langs, none = [plain_language(p) for p in PROMPTS], [set()] * len(PROMPTS)
    together = index.search(PROMPTS, langs, none)
    alone = [index.search([p], [lang], [set()])[0] for p, lang in zip(PROMPTS, langs, strict=True)]
    assert [list(e.nearest) for e in together] == [list(e.nearest) for e in alone]


def test_no_prompt_finds_nothing(guard):
    assert guard._finder._descriptions.search([], [], []) == []


def test_a_batch_of_nothing_but_errors_gives_them_back(guard):
    found = guard.score_many([1, None], errors="return")
    assert [type(entry).__name__ for entry in found] == ["InvalidPromptError"] * 2
