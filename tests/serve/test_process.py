"""Real processes: start, stop under load, workers, signals, keys, the official client of OpenAI."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from serve_process import until

from ipguard.policy.registry import Registry

EVERYWHERE = "0.0.0.0"  # noqa: S104 - that this is refused without keys is what is tested
CLI = [sys.executable, "-m", "ipguard.cli"]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
PROMPT = {"prompt": "Pikachu in the rain"}


class Load:
    """Requests on several connections, one after another on each, until the service is gone."""

    def __init__(self, base, connections):
        self.base, self.answered, self.refused, self.lost = base, 0, 0, []
        self._connections = connections
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()

    def end(self):
        self._over.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    async def _run(self):
        async with httpx.AsyncClient(
            base_url=self.base, timeout=60, limits=httpx.Limits(max_connections=None)
        ) as client:
            await asyncio.gather(*(self._ask(client) for _ in range(self._connections)))

    async def _ask(self, client):
        while not self._over.is_set():
            try:
                response = await client.post("/v1/score", json=PROMPT)
            except httpx.ConnectError:
                self.refused += 1
                return
            except httpx.TransportError as error:
                self.lost.append(repr(error))
                return
            if response.status_code == 200 and response.json()["results"][0]["decision"] == "block":
                self.answered += 1
            else:
                self.lost.append(response.text)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=forks)])
def test_the_order_to_stop_loses_no_request(process, workers):
    server = process("--workers", workers, "--drain", "0.5")
    load = Load(server.base, 24)
    until(lambda: load.answered > 100, 60)
    server.stop()
    load.end()
    assert load.lost == []
    assert load.refused == 24, "every connection went on to the end"
    answered = [entry for entry in server.log if entry.get("path") == "/v1/score"]
    assert len(answered) == load.answered
    assert {entry["status"] for entry in answered} == {200}


@forks
def test_workers_are_replaced_and_their_figures_are_one(process):
    server = process("--workers", 2)
    first = set(server.children())
    assert len(first) == 2
    for _ in range(30):
        # A connection each, so that both workers are asked.
        assert httpx.post(f"{server.base}/v1/score", json=PROMPT).status_code == 200
    text = httpx.get(f"{server.base}/metrics").text
    assert "ipguard_scored_prompts_total 30.0" in text
    assert re.search(r'ipguard_version\{version="[^"]+",what="model"\} 2.0', text)
    os.kill(min(first), signal.SIGKILL)
    until(lambda: len(set(server.children()) - {min(first)}) == 2, 30)
    until(server.ready)
    text = until(lambda: both(httpx.get(f"{server.base}/metrics").text), 30)
    assert "ipguard_scored_prompts_total 30.0" in text, "what the killed worker had counted stays"
    assert server.stop() == 0


def both(text):
    return text if re.search(r'ipguard_version\{version="[^"]+",what="model"\} 2.0', text) else None


@forks
def test_a_worker_that_cannot_start_now_does_not_end_the_others(process, tmp_path):
    path = tmp_path / "policy.json"
    path.write_text("{}")
    server = process("--workers", 2, "--policy", path)
    path.write_text("{")
    os.kill(server.children()[0], signal.SIGKILL)
    until(lambda: sum("is replaced" in line for line in server.lines) >= 2, 60)
    assert httpx.post(f"{server.base}/v1/score", json=PROMPT).status_code == 200
    path.write_text("{}")
    until(lambda: both(httpx.get(f"{server.base}/metrics").text), 60)


@forks
def test_workers_share_the_memory_of_the_model(process):
    def memory(pid, what):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
        return int(re.search(rf"^{what}:\s+(\d+) kB", text, re.MULTILINE)[1]) / 1024

    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("this system does not tell what memory is shared")
    server = process("--workers", 2)
    for child in server.children():
        own, all_of_it = memory(child, "Private_Dirty"), memory(child, "Rss")
        assert own < all_of_it / 2, (own, all_of_it)


def test_hang_up_loads_the_catalogue_anew(process, small, tmp_path):
    from ipguard.catalogue.build import compile_catalogue

    path = tmp_path / "catalogue.bin"
    compile_catalogue(small).write(path)
    server = process("--catalogue", path, IPGUARD_POLL="0.1")
    body = {"prompt": "Zorblax Quest poster"}

    def decision():
        return httpx.post(f"{server.base}/v1/score", json=body).json()["results"][0]["decision"]

    new = "# brand-new | Zorblax Quest | game | 2026 | JP | Zorblax Inc | protected\n= en:o:Zorblax Quest\n"
    compile_catalogue(small.add(new)).write(path)
    time.sleep(0.5)
    assert decision() == "allow", "nothing is loaded that nobody asked for"
    server.process.send_signal(signal.SIGHUP)
    until(lambda: decision() == "block")


def test_a_change_of_policy_reaches_all_workers(process, tmp_path):
    Registry(tmp_path / "rules.db").close()
    workers = 2 if hasattr(os, "fork") else 1
    server = process("--workers", workers, "--policy", tmp_path / "rules.db", IPGUARD_POLL="0.1")

    def decisions():
        return {httpx.post(f"{server.base}/v1/score", json=PROMPT).json()["results"][0]["decision"] for _ in range(20)}

    assert decisions() == {"block"}
    from ipguard.policy.rules import Rule

    with Registry(tmp_path / "rules.db") as registry:
        registry.add(Rule("permit", reason="licensed", work="pokemon"))
        until(lambda: decisions() == {"allow"})
        httpx.post(f"{server.base}/v1/score", json={"prompt": "Goku"})
        server.stop()
        assert registry.audit.decisions()[0].decision == "block"
        assert len(registry.audit.decisions()) >= 20


def refused(*arguments, **environment):
    done = subprocess.run(
        [*CLI, "serve", *map(str, arguments)], capture_output=True, text=True, env={**os.environ, **environment},
        timeout=120, check=False, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    return done.stderr.splitlines()[-1]


def test_refusals_to_start(tmp_path):
    assert "listens on this machine only, not on 0.0.0.0" in refused("--host", EVERYWHERE)
    assert "timeout must be greater than 0" in refused("--timeout", "0")
    assert "IPGUARD_QUEUE must be a number" in refused(IPGUARD_QUEUE="many")
    assert "workers must be" in refused("--workers", "0")
    assert "cannot be listened on" in refused("--port", "99999")
    (tmp_path / "policy.json").write_text("{")
    assert "policy.json" in refused("--port", "0", "--policy", tmp_path / "policy.json")
    if hasattr(os, "fork"):
        assert "A worker ended" in refused("--port", "0", "--workers", "2", "--policy", tmp_path / "policy.json")


def test_keys_from_the_command_line(process, tmp_path):
    made = subprocess.run(
        [*CLI, "serve-key", "new", "gateway", "--role", "read"], capture_output=True, text=True, check=True
    )
    (tmp_path / "keys").write_text(made.stdout)
    key = made.stderr.removeprefix("key (shown once): ").strip()
    assert key not in made.stdout
    server = process("--keys", tmp_path / "keys", "--host", EVERYWHERE)
    assert httpx.post(f"{server.base}/v1/score", json=PROMPT).status_code == 401
    headers = {"Authorization": f"Bearer {key}"}
    assert httpx.post(f"{server.base}/v1/score", json=PROMPT, headers=headers).status_code == 200
    assert key not in "".join(server.lines)
    entry = until(lambda: next((e for e in server.log if e.get("status") == 200 and e.get("key")), None))
    assert entry["key"] == "gateway"


def test_slow_senders_hold_up_nobody(process):
    import socket

    server = process("--timeout", "1")
    head = (
        b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as slow:
        slow.sendall(head)
        assert httpx.post(f"{server.base}/v1/score", json=PROMPT).status_code == 200
        answer = b"".join(iter(lambda: slow.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 504 ")
    assert b'"timeout"' in answer


def test_scoring_never_holds_up_the_event_loop(process):
    server = process()
    heavy = {"prompts": ["Pikachu and Goku walk through 渋谷 with Link, " * 400] * 20}
    done = threading.Event()

    def ask():
        httpx.post(f"{server.base}/v1/score", json=heavy, timeout=120)
        done.set()

    threading.Thread(target=ask, daemon=True).start()
    answered = 0
    while not done.wait(0.02):
        assert httpx.get(f"{server.base}/healthz", timeout=5).status_code == 200
        answered += 1
    assert answered > 5, "answers were given while prompts were scored"


def test_the_client_of_openai(process):
    openai = pytest.importorskip("openai", reason="needs openai")
    server = process()
    client = openai.OpenAI(base_url=f"{server.base}/v1", api_key="unused")
    answer = client.moderations.create(model="ipguard", input=["Pikachu in the rain", "a quiet lake"])
    flagged, clean = answer.results
    assert (flagged.flagged, clean.flagged) == (True, False)
    assert flagged.categories.model_extra["intellectual-property"] is True
    assert flagged.category_scores.model_extra["intellectual-property"] > 0.8
    assert flagged.categories.violence is False
    assert flagged.category_scores.sexual_minors == 0.0
    assert flagged.model_extra["ipguard"]["matches"][0]["title"] == "Pokémon"
    parts = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]
    with pytest.raises(openai.BadRequestError) as error:
        client.moderations.create(model="ipguard", input=parts)
    assert (error.value.code, error.value.param) == ("images_not_supported", "input")
    client.close()


def test_logs_are_json_without_prompts(process):
    server = process()
    httpx.post(f"{server.base}/v1/score", json={"prompt": "Pikachu in a secret garden"})
    server.stop()
    assert all(json.loads(line)["time"] for line in server.lines)
    assert "secret" not in "".join(server.lines)
