"""The service under load: throughput and latency by connections, beside scoring in one process; and a soak.

    python benchmarks/serve.py FILE... [--seconds 5] [--workers 1] [--out benchmarks/records]
    python benchmarks/serve.py FILE... --soak 600 [--workers 2] [--out benchmarks/records]

FILEs are JSON Lines with a column ``text``. The service runs in processes of its own on loopback; the clients are in
this process, one prompt a request, and share the machine with it. The first form measures 1, 16 and 128 connections,
before and after them ``score_many`` on the same prompts, and the memory of the service. The second changes the policy
once a second and replaces the catalogue once a minute under load of 16 connections, and fails if any answer is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from urllib.request import urlopen

from batch import memory
from machine import describe

from ipguard import Guard
from ipguard.catalogue.build import COMPILED_NAME
from ipguard.catalogue.store import default_folder

CONNECTIONS = (1, 16, 128)
SOAK_CONNECTIONS = 16
POLICY_SECONDS, CATALOGUE_SECONDS = 1.0, 60.0
WITNESS = "Pikachu in the rain"
"""Blocked by threshold; permitted by every second policy of the soak."""
PERMIT = {"rules": [{"effect": "permit", "reason": "licensed", "work": "pokemon"}]}
_HEAD = "POST /v1/score HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"


@contextmanager
def serving(workers: int, *arguments: str) -> Iterator[tuple[int, int]]:
    """Run the service; give its port and process."""
    with tempfile.NamedTemporaryFile("w+", suffix=".log") as log:
        command = [sys.executable, "-m", "ipguard.cli", "serve", "--port", "0", "--log-level", "warning"]
        run = subprocess.Popen([*command, "--workers", str(workers), *arguments], stderr=log)
        try:
            port = _port(Path(log.name), run)
            yield port, run.pid
        finally:
            run.send_signal(signal.SIGTERM)
            run.wait(60)


def _port(log: Path, run: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if run.poll() is not None:
            sys.exit(log.read_text())
        found = re.search(r'"port": (\d+)', log.read_text())
        if found:
            try:
                urlopen(f"http://127.0.0.1:{found[1]}/readyz", timeout=120).close()
            except OSError:
                time.sleep(0.1)
            else:
                return int(found[1])
        time.sleep(0.1)
    sys.exit("the service did not start")


class Connection:
    """One connection that asks again and again; as little as can be done beside the service on the same cores."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, prompt: str) -> tuple[int, bytes]:
        """Send a prompt; return status and body."""
        body = json.dumps({"prompt": prompt, "audience": "end_user"}).encode()
        self._writer.write(_HEAD.format(len(body)).encode() + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        return int(head[9:12]), await self._reader.readexactly(int(length[1]) if length else 0)


@asynccontextmanager
async def connections(port: int, count: int) -> AsyncIterator[list[Connection]]:
    """Open connections and close them."""
    pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    try:
        yield [Connection(*pair) for pair in pairs]
    finally:
        for _, writer in pairs:
            writer.close()


async def measured(port: int, count: int, texts: list[str], seconds: float) -> dict[str, float]:
    """Ask on so many connections for so long; return rate and percentiles. An answer that is not 200 ends all."""
    prompts, times = cycle(texts), []
    end = time.perf_counter() + seconds

    async def client(connection: Connection) -> None:
        while (start := time.perf_counter()) < end:
            status, body = await connection.ask(next(prompts))
            if status != 200:
                sys.exit(f"status {status}: {body.decode()}")
            times.append(time.perf_counter() - start)

    async with connections(port, count) as opened:
        began = time.perf_counter()
        await asyncio.gather(*(client(connection) for connection in opened))
        whole = time.perf_counter() - began
    times.sort()
    at = {"p50_ms": 0.5, "p99_ms": 0.99}
    shown = {name: round(1000 * times[int(share * (len(times) - 1))], 1) for name, share in at.items()}
    return {"requests": len(times), "per_second": round(len(times) / whole, 1), **shown}


def in_process(guard: Guard, texts: list[str], seconds: float) -> float:
    """Prompts a second of ``score_many``."""
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        guard.score_many(texts[:256])
        done += len(texts[:256])
    return done / (time.perf_counter() - start)


def check(guard: Guard, port: int, texts: list[str]) -> None:
    """Stop unless the service decides as the guard does; no time is believed before."""

    async def ask() -> list[bytes]:
        async with connections(port, 1) as (connection,):
            return [(await connection.ask(text))[1] for text in texts]

    for text, body in zip(texts, asyncio.run(ask()), strict=True):
        found = json.loads(body)["results"][0]["decision"]
        if found != guard.score(text).decision:
            sys.exit(f"the service decides {found} about {text[:80]!r}, the guard otherwise")


def load(texts: list[str], seconds: float, workers: int) -> dict[str, object]:
    """Measure throughput and latency."""
    guard = Guard()
    guard.score_many(texts[:256])
    runs: dict[str, dict[str, float]] = {}
    with serving(workers) as (port, pid):
        check(guard, port, texts[:100])
        before, idle = in_process(guard, texts, seconds), memory(pid)
        for count in CONNECTIONS:
            runs[str(count)] = asyncio.run(measured(port, count, texts, seconds))
            print(count, json.dumps(runs[str(count)]), flush=True)
        after, loaded = in_process(guard, texts, seconds), memory(pid)
    alone = (before + after) / 2
    ratios = {count: round(run["per_second"] / alone, 3) for count, run in runs.items()}
    return {
        "what": "serve", "workers": workers, "connections": runs, "score_many_per_second": round(alone, 1),
        "to_score_many": ratios, "memory_mb": {"at_start": round(idle), "after_load": round(loaded)},
    }  # fmt: skip


async def every(seconds: float, end: float, act: Callable[[int], None]) -> int:
    """Act at intervals until a time; return how often."""
    done = 0
    while time.monotonic() + seconds < end:
        await asyncio.sleep(seconds)
        await asyncio.to_thread(act, done)
        done += 1
    return done


async def soaked(port: int, texts: list[str], seconds: float, folder: Path) -> dict[str, object]:
    """Ask while policy and catalogue change; count answers by kind."""
    answers: Counter[str] = Counter()
    witnessed: Counter[str] = Counter()
    prompts, end = cycle(texts), time.monotonic() + seconds

    def change_policy(count: int) -> None:
        replace(folder / "policy.json", json.dumps({} if count % 2 else PERMIT).encode())

    def change_catalogue(_: int) -> None:
        replace(folder / COMPILED_NAME, (folder / COMPILED_NAME).read_bytes())

    async def client(connection: Connection, number: int) -> None:
        while time.monotonic() < end:
            try:
                status, body = await connection.ask(WITNESS if number == 0 else next(prompts))
            except (OSError, EOFError) as error:
                answers[type(error).__name__] += 1
                return
            answers[str(status)] += 1
            if number == 0 and status == 200:
                witnessed[json.loads(body)["results"][0]["decision"]] += 1

    async with connections(port, SOAK_CONNECTIONS) as opened:
        policies, catalogues, *_ = await asyncio.gather(
            every(POLICY_SECONDS, end, change_policy),
            every(CATALOGUE_SECONDS, end, change_catalogue),
            *(client(connection, number) for number, connection in enumerate(opened)),
        )
    return {
        "answers": dict(answers), "errors": sum(answers.values()) - answers["200"], "witness": dict(witnessed),
        "policies": policies, "catalogues": catalogues,
    }  # fmt: skip


def replace(path: Path, content: bytes) -> None:
    """Put a file in the place of another at once."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.replace(path)


def soak(texts: list[str], seconds: float, workers: int) -> dict[str, object]:
    """Run the soak; stop with an error where an answer was not 200 or a change was not taken up."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copy(default_folder() / COMPILED_NAME, folder)
        (folder / "policy.json").write_text("{}")
        arguments = ("--policy", str(folder / "policy.json"), "--catalogue", str(folder / COMPILED_NAME))
        with serving(workers, *arguments, "--watch-catalogue") as (port, pid):
            start = memory(pid)
            found = asyncio.run(soaked(port, texts, seconds, folder))
            with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                figures = answer.read().decode()
            reloads = re.findall(r'ipguard_reloads_total\{outcome="(\w+)",what="(\w+)"\} (\S+)', figures)
            found |= {
                "reloads": {f"{what} {outcome}": round(float(count)) for outcome, what, count in reloads},
                "memory_mb": {"at_start": round(start), "at_end": round(memory(pid))},
            }
    return {"what": "serve-soak", "workers": workers, "seconds": seconds, **found}


def main() -> None:
    """Measure, print, and write a dated record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--soak", type=float, help="seconds of a soak instead")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    lines = [line for file in arguments.files for line in file.read_text("utf-8").splitlines()]
    texts = list(dict.fromkeys(json.loads(line)["text"] for line in lines))
    found = (
        soak(texts, arguments.soak, arguments.workers)
        if arguments.soak
        else load(texts, arguments.seconds, arguments.workers)
    )
    guard = Guard()
    record = {
        **found, "distinct_texts": len(texts), "date": datetime.now(UTC).date().isoformat(),
        "load_average": os.getloadavg()[0], "model": guard.model_version, "catalogue": guard.catalogue_version,
        **describe(),
    }  # fmt: skip
    print(json.dumps(record, indent=1))
    if arguments.out:
        name = f"{record['date']}-{record['what']}-{arguments.workers}.json"
        (arguments.out / name).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")
    witness = found.get("witness", {"allow": 1, "block": 1})
    if found.get("errors") or not (isinstance(witness, dict) and {"allow", "block"} <= set(witness)):
        sys.exit("answers were wrong")


if __name__ == "__main__":
    main()
