"""Applications in this process, and real servers in processes of their own."""

import pytest

pytest.importorskip("fastapi", reason="needs the extra 'serve'")
pytest.importorskip("httpx", reason="needs httpx, which comes with the extra 'dev'")

from serve_process import Process
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
