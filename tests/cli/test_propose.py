"""The commands for proposals and differences."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest
from typer.testing import CliRunner

from ipguard.cli.app import app
from ipguard.errors import IpguardError

ROW = {"work": {"value": "http://x/Q9"}, "label": {"value": "Zorbulon Saga", "xml:lang": "en"}}
RESULT = json.dumps({"results": {"bindings": [ROW]}})


def run(*arguments):
    return CliRunner().invoke(app, ["catalogue", *map(str, arguments)])


def test_import_prints_and_adds_nothing(tmp_path, small):
    small.write(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.json*")}
    table = tmp_path / "t.csv"
    table.write_text("\ufefftitle\nZorbulon Saga\nDragon Ball\n", "utf-8")
    done = run("import", table, "--folder", tmp_path)
    assert done.exit_code == 0
    assert "# zorbulon-saga | Zorbulon Saga" in done.output
    assert "1 works proposed, 1 held" in done.output
    assert before == {p: p.read_bytes() for p in tmp_path.rglob("*.json*")}


@pytest.fixture
def endpoint():
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["query"][0])
            self.send_response(200 if "wdt:P31" in asked[-1] else 400)
            self.end_headers()
            self.wfile.write(RESULT.encode())

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/sparql", asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_wikidata_from_an_endpoint_and_from_a_file(endpoint, tmp_path, small):
    small.write(tmp_path)
    address, asked = endpoint
    over_http = run("wikidata", "--endpoint", address, "--folder", tmp_path)
    assert over_http.exit_code == 0
    assert "zorbulon-saga" in over_http.output
    assert asked == [run("wikidata", "--show-query").output.rstrip("\n")]
    (tmp_path / "r.json").write_text(RESULT)
    assert run("wikidata", tmp_path / "r.json", "--folder", tmp_path).output == over_http.output


def test_an_endpoint_that_refuses(endpoint, tmp_path, small):
    small.write(tmp_path)
    (tmp_path / "q.rq").write_text("ASK {}")
    done = run("wikidata", "--endpoint", endpoint[0], "--query", tmp_path / "q.rq", "--folder", tmp_path)
    assert isinstance(done.exception, IpguardError)
    assert "400" in str(done.exception)


@pytest.mark.parametrize("arguments", [[], ["--endpoint", "file:///etc/passwd"], ["nothing.json"]])
def test_wikidata_needs_one_source(arguments):
    assert isinstance(run("wikidata", *arguments).exception, IpguardError)


def test_diff(tmp_path, small):
    small.write(tmp_path / "a")
    small.add("# new-work | New Work | game | 2026 | JP | H | protected\n= en:o:Brand New Work\n").write(tmp_path / "b")
    done = run("diff", tmp_path / "a", tmp_path / "b")
    assert done.exit_code == 1
    assert "new-work\tadded\tNew Work" in done.output
    assert run("diff", tmp_path / "a", tmp_path / "a").exit_code == 0
    assert run("diff", tmp_path / "a", tmp_path / "b", "--work", "dragon-ball").exit_code == 0
