"""The search over descriptions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipguard.evidence.descriptions import TOP, _groups, _highest, largest
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


@given(st.lists(st.integers(-9, 9), max_size=900), st.integers(1, 8))
def test_largest(values, count):
    array = np.array(values, dtype=np.int32)
    found = largest(array, count)
    assert len(found) == len(set(found.tolist())) == min(count, len(array))
    assert sorted(array[found]) == sorted(array)[len(array) - len(found) :]


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 20_000))
def test_highest_by_blocks_is_exact(seed, rows, total):
    products = np.random.default_rng(seed).integers(-1000, 1000, (rows, total), dtype=np.int32)
    found = _highest(products, 8)
    assert len(found) == len(set(found.tolist())) == min(8, total)
    best = products.max(0)
    assert sorted(best[found]) == sorted(best)[total - len(found) :]


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
    similarity = (index._centred(index.encoder.encode(texts), [lang], [len(texts)]) @ index._vectors.T).max(0)
    expected = {}
    for place in np.argsort(-similarity)[:TOP].tolist():
        expected.setdefault(int(index._work[place]), similarity[place])
    for work in works:
        expected[work] = similarity[index._of_work[work]].max()
    assert {w: n.similarity for w, n in found.nearest.items()} == pytest.approx(expected, abs=1e-5)


def test_a_batch_finds_what_single_prompts_find(guard):
    index = guard._finder._descriptions
    langs, none = [plain_language(p) for p in PROMPTS], [set()] * len(PROMPTS)
    together = index.search(PROMPTS, langs, none)
    alone = [index.search([p], [lang], [set()])[0] for p, lang in zip(PROMPTS, langs, strict=True)]
    assert [list(e.nearest) for e in together] == [list(e.nearest) for e in alone]
