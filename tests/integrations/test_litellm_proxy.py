"""A real LiteLLM proxy before an image model on this machine, guarded over HTTP and from within."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.integrations.conftest import CATALOGUE_TERMS, CLEAN, NAMED

pytest.importorskip("litellm.proxy.proxy_cli", reason="litellm[proxy] is not installed; see run_isolated.py")
pytest.importorskip("apscheduler", reason="litellm[proxy] is not installed; see run_isolated.py")
pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

yaml = pytest.importorskip("yaml", reason="litellm[proxy] is not installed; see run_isolated.py")

PAGE = Path(__file__).parents[2] / "docs" / "integrations.md"
KEY = "sk-test"
PATIENCE = 120
"""Seconds that a process may take to start."""


class Upstream(ThreadingHTTPServer):
    """Stands for the provider of the model: answers as OpenAI does, and keeps what it was asked for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked = []


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(body)
        if self.path.endswith("/images/generations"):
            answer = {"created": 1, "data": [{"b64_json": "AA=="}]}
        else:
            message = {"role": "assistant", "content": "drawn"}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "painter", "choices": [choice]}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def of_the_page(which: str) -> dict:
    """Parameters of a guardrail as docs/integrations.md gives them."""
    block = re.search(rf"<!-- litellm: {which} -->\n```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[1]
    return yaml.safe_load(block)["guardrails"][0]["litellm_params"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def process(command, log: Path, ready: str):
    """A process from the moment it answers to its end."""
    with log.open("wb") as stream:
        running = subprocess.Popen(command, stdout=stream, stderr=stream, env=dict(os.environ))
    try:
        until = time.monotonic() + PATIENCE
        while True:
            assert running.poll() is None, log.read_text("utf-8", "replace")[-4000:]
            assert time.monotonic() < until, log.read_text("utf-8", "replace")[-4000:]
            try:
                urllib.request.urlopen(ready, timeout=5).close()  # noqa: S310 - this machine
                break
            except OSError:
                time.sleep(0.3)
        yield running
    finally:
        running.terminate()
        running.wait(30)


@contextmanager
def proxy(folder: Path, upstream: Upstream, guardrail: dict):
    """A proxy with one guardrail; gives its address."""
    parameters = {
        "model": "openai/painter",
        "api_base": f"http://127.0.0.1:{upstream.server_port}/v1",
        "api_key": "none",
    }
    config = {
        "model_list": [{"model_name": "painter", "litellm_params": parameters}],
        "guardrails": [{"guardrail_name": "ipguard", "litellm_params": guardrail}],
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"num_retries": 0},
    }
    path = folder / "config.yaml"
    path.write_text(json.dumps(config), "utf-8")
    port = free_port()
    program = str(Path(sys.executable).with_name("litellm"))
    command = [program, "--config", str(path), "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
    address = f"http://127.0.0.1:{port}"
    with process(command, folder / "proxy.log", f"{address}/health/liveliness"):
        yield address


@contextmanager
def service(folder: Path):
    """``ipguard serve``; gives its process and address."""
    port = free_port()
    command = [sys.executable, "-m", "ipguard.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with process(command, folder / "service.log", f"{address}/readyz") as running:
        yield running, address


@pytest.fixture(scope="module")
def upstream():
    with Upstream() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def post(address, path, body):
    headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
    request = urllib.request.Request(f"{address}{path}", json.dumps(body).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - this machine
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def draw(address, prompt):
    return post(address, "/v1/images/generations", {"model": "painter", "prompt": prompt})


def chat(address, prompt):
    return post(
        address, "/v1/chat/completions", {"model": "painter", "messages": [{"role": "user", "content": prompt}]}
    )


def assert_guarded(address, upstream):
    """Clean prompts reach the model to the letter, others do not reach it, and who asked learns no term."""
    upstream.asked.clear()
    status, text = draw(address, CLEAN)
    assert status == 200, text
    assert upstream.asked[-1]["prompt"] == CLEAN
    assert chat(address, CLEAN)[0] == 200
    assert len(upstream.asked) == 2
    for ask in (draw, chat):
        status, text = ask(address, NAMED)
        assert status == 400, text
        assert not any(term in text for term in CATALOGUE_TERMS)
    assert len(upstream.asked) == 2


def test_a_proxy_guarded_over_http_refuses_even_when_the_guard_is_down(tmp_path, upstream):
    with (
        service(tmp_path) as (running, guard_address),
        proxy(tmp_path, upstream, {**of_the_page("http"), "api_base": guard_address}) as address,
    ):
        assert_guarded(address, upstream)
        running.terminate()
        running.wait(30)
        upstream.asked.clear()
        status, text = draw(address, CLEAN)
        assert status >= 400, text
        assert upstream.asked == []


def test_a_proxy_is_guarded_from_within(tmp_path, upstream):
    with proxy(tmp_path, upstream, of_the_page("within")) as address:
        assert_guarded(address, upstream)


def test_a_proxy_does_not_start_unguarded(tmp_path, upstream):
    guardrail = {**of_the_page("within"), "check": {"refuze": "review"}}
    with pytest.raises(AssertionError, match="refuze"), proxy(tmp_path, upstream, guardrail):
        pass
