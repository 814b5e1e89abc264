"""Applications in this process, and real servers in processes of their own."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="needs the extra 'serve'")
pytest.importorskip("httpx", reason="needs httpx, which comes with the extra 'dev'")

import httpx
from starlette.testclient import TestClient

from ipguard.serve import ServeSettings, create_app
from ipguard.serve.keys import new_key
from ipguard.serve.loading import Loaded, catalogue_path, stamp

HERE = {"base_url": "http://127.0.0.1:8080", "client": ("127.0.0.1", 50000)}


@pytest.fixture(scope="session")
def loaded(guard):
    return Loaded(guard, stamp(catalogue_path(ServeSettings())))


@pytest.fixture
def serving(loaded):
    """Make clients of applications with given settings; all are closed at the end."""
    opened = []

    def make(*, given=None, **settings):
        app = create_app(ServeSettings(**{"poll": 0.05, **settings}), loaded=given or loaded)
        client = TestClient(app, **HERE, raise_server_exceptions=False)
        client.__enter__()
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture(scope="module")
def client(loaded):
    with TestClient(create_app(ServeSettings(), loaded=loaded), **HERE, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def key_file(tmp_path):
    """A file of keys, and a key of each role."""
    keys, lines = {}, []
    for role in ("end_user", "read", "policy"):
        keys[role], line = new_key(f"the-{role}", role)
        lines.append(line)
    path = tmp_path / "keys.txt"
    path.write_text("# made by a test\n\n" + "\n".join(lines) + "\n", "utf-8")
    return path, {role: {"Authorization": f"Bearer {key}"} for role, key in keys.items()}


def until(condition, seconds=15.0):
    """Wait for a condition, and return its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
    return value


class Process:
    """``ipguard serve`` in a process of its own."""

    def __init__(self, *arguments, **environment):
        command = [sys.executable, "-m", "ipguard.cli", "serve", "--port", "0", *map(str, arguments)]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, encoding="utf-8", env={**os.environ, **environment}
        )
        self.lines, self._queue = [], queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.port = None
        while self.port is None:
            line = self._queue.get(timeout=60)
            assert line is not None, "\n".join(self.lines)
            self.port = json.loads(line).get("port") if line.startswith("{") else None
        self.base = f"http://127.0.0.1:{self.port}"
        until(self.ready, 60)

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            self._queue.put(line)
        self._queue.put(None)

    def ready(self):
        assert self.process.poll() is None, "\n".join(self.lines)
        try:
            return httpx.get(f"{self.base}/readyz", timeout=30).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def log(self):
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def children(self):
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(child) for child in path.read_text().split()]

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def process():
    """Start servers; all are stopped at the end."""
    started = []

    def start(*arguments, **environment):
        started.append(Process(*arguments, **environment))
        return started[-1]

    yield start
    for one in started:
        one.stop()
        one.process.stderr.close()
