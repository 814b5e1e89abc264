"""The MCP server as a process of its own, spoken to by the official client over its standard streams."""

import asyncio
import json
import os
import sys

import pytest
from jsonschema import Draft202012Validator

pytest.importorskip("mcp", reason="the extra 'mcp' is not installed")

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from ipguard.integrations.mcp import make_server
from tests.integrations.conftest import CLEAN, NAMED


def ask(calls, server):
    async def session():
        async with Client(server) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            return tools, [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(session())


def test_the_command_serves_the_three_tools():
    command = StdioServerParameters(command=sys.executable, args=["-m", "ipguard.cli", "mcp"], env=dict(os.environ))
    calls = [
        ("score_prompt", {"prompt": NAMED, "purpose": "image", "territory": "JP"}),
        ("rewrite_prompt", {"prompt": NAMED}),
        ("search_catalogue", {"query": "ピカチュウ", "limit": 3}),
    ]
    tools, (score, reworded, found) = ask(calls, stdio_client(command))
    for (name, _), answer in zip(calls, (score, reworded, found), strict=True):
        assert not answer.is_error
        Draft202012Validator(tools[name].output_schema).validate(answer.structured_content)
        assert json.loads(answer.content[0].text) == answer.structured_content
        assert tools[name].annotations.read_only_hint
    match = score.structured_content["matches"][0]
    assert (score.structured_content["decision"], match["text"]) == ("block", "Pikachu")
    assert {"id": "nintendo", "name": "Nintendo"} in match["rights_holders"]
    assert reworded.structured_content["decision"] == "allow"
    assert "Pikachu" not in reworded.structured_content["text"]
    assert found.structured_content["works"][0]["work_id"] == "pokemon"


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("score_prompt", {"prompt": CLEAN, "territory": "japan"}, "territory must be an ISO 3166 code"),
        ("score_prompt", {"prompt": 3}, "valid string"),
        ("score_prompt", {"prompt": CLEAN, "purpose": "poem"}, "'image', 'video' or 'text'"),
        ("search_catalogue", {"query": "a", "limit": 0}, "greater than or equal to 1"),
        ("no_such_tool", {}, "no_such_tool"),
    ],
)
def test_wrong_arguments_are_errors_that_say_what_is_wrong(guard, small, tool, arguments, said):
    _, (answer,) = ask([(tool, arguments)], make_server(guard, lambda: small))
    assert answer.is_error
    assert said in answer.content[0].text


def test_a_failure_is_an_error_and_never_a_score(guard):
    def gone():
        raise OSError("disk on fire")

    _, (answer,) = ask([("search_catalogue", {"query": "a"})], make_server(guard, gone))
    assert answer.is_error
    assert answer.structured_content is None


def test_search_needs_a_folder(tmp_path, monkeypatch):
    from ipguard.catalogue.build import load_or_build

    compiled = tmp_path / "catalogue.bin"
    load_or_build().write(compiled)
    args = ["-m", "ipguard.cli", "mcp", "--catalogue", str(compiled)]
    command = StdioServerParameters(command=sys.executable, args=args, env=dict(os.environ))
    calls = [("search_catalogue", {"query": "Pikachu"}), ("score_prompt", {"prompt": NAMED})]
    _, (search, score) = ask(calls, stdio_client(command))
    assert search.is_error
    assert "must be a folder" in search.content[0].text
    assert score.structured_content["decision"] == "block"
