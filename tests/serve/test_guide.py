"""docs/serve.md, docs/deployment.md and deploy/ say what is."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from ipguard.cli.app import app as command_line
from ipguard.serve import ServeSettings

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "serve.md").read_text("utf-8")
DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text("utf-8")
SOURCES = "".join(path.read_text("utf-8") for path in (ROOT / "ipguard" / "serve").rglob("*.py"))


def part(name):
    return re.search(rf"<!-- {name} -->\n```\w*\n(.*?)\n```\n<!-- end -->", GUIDE, re.DOTALL)[1]


def options():
    command = typer.main.get_command(command_line).commands["serve"]
    return {name for parameter in command.params for name in parameter.opts}


def test_the_first_request(client):
    words = shlex.split(part("curl /v1/score"))
    headers = dict([words[words.index("-H") + 1].split(": ")])
    answer = client.post("/v1/score", content=words[words.index("-d") + 1], headers=headers)
    assert answer.json()["results"][0]["decision"] == "block"


def test_the_example_for_openai(process):
    pytest.importorskip("openai", reason="needs openai")
    code = part("python").replace("http://127.0.0.1:8080", process().base)
    values = {}
    exec(code, values)  # noqa: S102 - the example of the guide
    for line in code.splitlines():
        if "  # " in line:
            expression, said = line.split("  # ")
            assert repr(eval(expression, values)).strip("'") == said.strip('"')  # noqa: S307 - the same
    values["client"].close()


def test_all_paths_are_listed_and_no_others(client):
    table = GUIDE.split("## Paths")[1].split("###")[0]
    said = {path.split("?")[0] for path in re.findall(r"[` ](/[^` ]*)`", table)}
    there = {
        path.replace("{work_id}", "{id}").replace("{rule_id}", "{id}")
        for path in client.get("/openapi.json").json()["paths"]
    }
    assert said == there | {"/", "/openapi.json"}


def test_all_codes_are_listed_and_no_others():
    table = GUIDE.split("## Errors")[1].split("An error is never")[0]
    said = set(re.findall(r"`([a-z_]+)`", table)) - {"error"}
    used = set(re.findall(r'Problem\(\s*\d+,\s*"([a-z_]+)"', SOURCES)) | set(re.findall(r'\d+: \("([a-z_]+)"', SOURCES))
    used |= {"invalid_key", "key_needed"}
    assert said == used


def test_options_and_variables_are_real():
    assert set(re.findall(r"`(--[a-z-]+)", GUIDE + DEPLOYMENT)) <= options()
    held = {name.upper() for name in ServeSettings.__dataclass_fields__} | {"HOST", "PORT", "WORKERS", "LOG_LEVEL"}
    files = "".join(path.read_text("utf-8") for path in (ROOT / "deploy").iterdir())
    assert set(re.findall(r"IPGUARD_([A-Z_]+)", GUIDE + DEPLOYMENT + files)) <= held
    without = {"poll", "prior", "stop_timeout"}
    assert {
        f"--{name.replace('_', '-')}" for name in ServeSettings.__dataclass_fields__ if name not in without
    } <= options()


def test_figures_are_real(client):
    text = client.get("/metrics").text
    for name in re.findall(r"`(ipguard_\w+)", GUIDE + DEPLOYMENT):
        assert re.search(rf"^# TYPE {name} ", text, re.MULTILINE), name


def test_the_unit_gives_the_service_time_to_stop():
    unit = (ROOT / "deploy" / "ipguard.service").read_text("utf-8")
    settings = ServeSettings()
    assert int(re.search(r"TimeoutStopSec=(\d+)", unit)[1]) > settings.drain + settings.stop_timeout + 5
