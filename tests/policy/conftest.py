"""Databases for the tests: an SQLite file, and a PostgreSQL server of their own on loopback."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest


def _binary(name):
    found = shutil.which(name) or next(
        (str(p) for p in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None
    )
    if found is None:
        pytest.skip(f"PostgreSQL is not installed: no {name}")
    return found


class Postgres:
    """A server that can be killed and started again."""

    def __init__(self, folder):
        self.data = folder / "data"
        self._user = None
        if os.geteuid() == 0:
            try:
                self._user = pwd.getpwnam("postgres")
            except KeyError:
                pytest.skip("PostgreSQL refuses to run as root, and there is no user 'postgres'")
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        options = ["-D", str(self.data), "-A", "trust", "-U", "tester", "-E", "UTF8", "--no-sync"]
        self._run([_binary("initdb"), *options], stdout=subprocess.DEVNULL, check=True)
        self.start()

    def _run(self, command, *, start=subprocess.run, **options):
        account = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}
        return start(
            command, **account, **options, cwd=self.data.parent, env={"PATH": os.environ["PATH"], "LC_ALL": "C"}
        )

    def start(self):
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off"}
        flags = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        command = [_binary("postgres"), "-D", str(self.data), *flags]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = self._run(command, start=subprocess.Popen, **quiet)
        for _ in range(300):
            ready = self._run(
                [_binary("pg_isready"), "-h", "127.0.0.1", "-p", str(self.port)], stdout=subprocess.DEVNULL
            )
            if ready.returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError("PostgreSQL did not start")

    def kill(self):
        """Stop at once, without a farewell to anybody connected."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)

    def url(self, database="postgres"):
        return f"postgresql://tester@127.0.0.1:{self.port}/{database}"


@pytest.fixture(scope="session")
def postgres():
    psycopg = pytest.importorskip("psycopg", reason="the extra 'postgres' is not installed")
    # Not below pytest's own folder, which the server's user may not enter.
    with tempfile.TemporaryDirectory(prefix="ipguard-postgres-", ignore_cleanup_errors=True) as name:
        server = Postgres(Path(name))
        try:
            with psycopg.connect(server.url(), connect_timeout=10):
                yield server
        finally:
            server.kill()


_made = iter(range(1_000_000))


@pytest.fixture
def postgres_url(postgres):
    """The address of a fresh database."""
    import psycopg

    name = f"rules{next(_made)}"
    with psycopg.connect(postgres.url(), autocommit=True, connect_timeout=10) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres.url(name)


@pytest.fixture(params=["sqlite", "postgres"])
def where(request, tmp_path):
    """The address of an empty database of each kind."""
    pytest.importorskip("sqlalchemy", reason="the extra 'policy' is not installed")
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'rules.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def registry(where):
    from ipguard.policy.registry import Registry

    with Registry.create(where) as made:
        yield made


@pytest.fixture
def settle():
    """Wait for another thread; if it takes too long the test fails."""

    def until(condition):
        for _ in range(1000):
            if condition():
                return
            time.sleep(0.02)
        raise AssertionError("it never happened")

    return until
