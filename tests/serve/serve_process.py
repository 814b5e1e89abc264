"""``ipguard serve`` in a process of its own, and waiting for what it does."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx


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
