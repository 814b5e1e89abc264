"""The scoring thread: order, batches, fairness, refusals."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipguard.errors import InvalidArgumentError
from ipguard.serve.lookup import Lookup
from ipguard.serve.problems import Problem
from ipguard.serve.scorer import BATCH_PROMPTS, PIECE_CHARS, PIECE_PROMPTS, InForce, Options, Scorer, pieces


@given(st.lists(st.integers(0, 3 * PIECE_CHARS // 2), max_size=60))
def test_pieces_hold_all_in_order_and_within_bounds(lengths):
    prompts = ["x" * length for length in lengths]
    found = pieces(prompts)
    assert [prompt for piece in found for prompt in piece] == prompts
    for piece in found:
        assert 0 < len(piece) <= PIECE_PROMPTS
        assert len(piece) == 1 or sum(map(len, piece)) <= PIECE_CHARS


@pytest.fixture
def in_force(guard):
    return InForce(guard, "p", Lookup(guard.compiled))


def run(scorer, work):
    async def body():
        scorer.start()
        try:
            return await work(scorer)
        finally:
            await asyncio.to_thread(scorer.stop)

    return asyncio.run(body())


def test_verdicts_are_those_of_the_guard_in_order(guard, in_force):
    prompts = [f"{name} number {n}" for n in range(20) for name in ("Pikachu", "a lake")]

    async def work(scorer):
        return await asyncio.gather(*(scorer.score([p, p], Options(), lambda j: j.prompt) for p in prompts))

    found = run(Scorer(lambda: in_force, capacity=1000), work)
    for prompt, judged in zip(prompts, found, strict=True):
        assert [answer for _, answer in judged] == [prompt, prompt]
        assert judged[0][0].verdict.decision == guard.score(prompt).decision


class Gate:
    """What is in force, given only when the gate is open, so that jobs gather behind the first."""

    def __init__(self, in_force):
        self.open, self.asked, self._in_force = threading.Event(), threading.Event(), in_force

    def __call__(self):
        self.asked.set()
        assert self.open.wait(30)
        return self._in_force


def test_what_comes_while_the_thread_works_is_scored_together(in_force):
    gate, batches = Gate(in_force), []

    async def work(scorer):
        first = asyncio.create_task(scorer.score(["a lake"], Options(), len_of))
        await asyncio.to_thread(gate.asked.wait, 30)
        others = [asyncio.create_task(scorer.score([f"a hill {n}"], Options(), len_of)) for n in range(100)]
        await asyncio.sleep(0.05)
        gate.open.set()
        await asyncio.gather(first, *others)

    run(Scorer(gate, capacity=1000, observe=lambda prompts, _: batches.append(prompts)), work)
    assert sum(batches) == 101
    assert len(batches) <= 1 + 1 + 100 // BATCH_PROMPTS + 1
    assert max(batches) <= BATCH_PROMPTS


def len_of(judgement):
    return len(judgement.prompt)


def test_a_bad_request_fails_alone(in_force):
    gate = Gate(in_force)

    async def work(scorer):
        jobs = [
            scorer.score(["a lake"], Options(), len_of),
            scorer.score(["Pikachu"], Options(allow=("no-such-work",)), len_of),
            scorer.score(["Pikachu"], Options(allow=("pokemon",)), lambda judgement: judgement.verdict.decision),
            scorer.score(["a lake"], Options(), broken),
        ]
        tasks = [asyncio.create_task(job) for job in jobs]
        await asyncio.sleep(0.05)
        gate.open.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    def broken(_):
        raise RuntimeError("of this answer")

    good, bad, licensed, failed = run(Scorer(gate, capacity=10), work)
    assert good[0][1] == 6
    assert isinstance(bad, InvalidArgumentError)
    assert licensed[0][1] == "allow"
    assert isinstance(failed, RuntimeError)


def test_too_much_is_refused_and_makes_room_again(in_force):
    gate = Gate(in_force)

    async def work(scorer):
        first = asyncio.create_task(scorer.score(["a lake"] * 3, Options(), len_of))
        await asyncio.sleep(0.05)
        with pytest.raises(Problem) as refused:
            await scorer.score(["a hill"] * 2, Options(), len_of)
        gate.open.set()
        await first
        await scorer.score(["a hill"] * 4, Options(), len_of)
        return refused.value

    refused = run(Scorer(gate, capacity=4), work)
    assert (refused.status_code, refused.code, refused.headers) == (503, "overloaded", {"Retry-After": "1"})


def test_a_request_that_was_given_up_is_not_scored(in_force):
    gate, batches = Gate(in_force), []

    async def work(scorer):
        first = asyncio.create_task(scorer.score(["a lake"], Options(), len_of))
        await asyncio.to_thread(gate.asked.wait, 30)
        given_up = asyncio.create_task(scorer.score(["a hill"] * 16, Options(), len_of))
        await asyncio.sleep(0.05)
        given_up.cancel()
        await asyncio.sleep(0.05)
        gate.open.set()
        await first
        assert scorer.pending == 0

    run(Scorer(gate, capacity=100, observe=lambda prompts, _: batches.append(prompts)), work)
    assert sum(batches) == 1


def test_calls_have_their_turn_between_batches(in_force):
    async def work(scorer):
        jobs = [scorer.score([f"a lake {n}"], Options(), len_of) for n in range(10)]
        return await asyncio.gather(*jobs, scorer.call(lambda guard: guard.catalogue_version), *jobs[:0])

    assert run(Scorer(lambda: in_force, capacity=100), work)[-1] == in_force.guard.catalogue_version
