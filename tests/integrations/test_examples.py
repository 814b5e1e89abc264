"""The examples of the page run, and give what their comments say."""

import ast
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from ipguard.errors import MissingExtraError
from tests.integrations.conftest import without_reports

PAGE = (Path(__file__).parents[2] / "docs" / "integrations.md").read_text("utf-8")
EXAMPLES = re.findall(r"## ([^\n]+)|<!-- needs: ([^>]+) -->\n```python\n(.*?)```", PAGE, re.DOTALL)


def examples():
    heading = ""
    for title, needs, code in EXAMPLES:
        heading = title or heading
        if code:
            modules = tuple(needs.split(", "))
            yield pytest.param(modules, code, id=f"{heading}-{code.count(chr(10))}")


def differing(code: str) -> list[str]:
    """Run a program; name each expression that gives something else than the comment behind it says."""
    names, wrong = {"__name__": "example"}, []
    lines = code.splitlines()
    for statement in ast.parse(code).body:
        source = "\n".join(lines[statement.lineno - 1 : statement.end_lineno])
        said = source[statement.end_col_offset :].partition("  # ")[2] if isinstance(statement, ast.Expr) else ""
        if not said:
            exec(compile(ast.Module([statement], []), "docs/integrations.md", "exec"), names)  # noqa: S102
            continue
        given = eval(compile(ast.Expression(statement.value), "docs/integrations.md", "eval"), names)  # noqa: S307
        if repr(given) != said:
            wrong.append(f"{source} gives {given!r}")
    return wrong


@pytest.mark.parametrize(("needs", "code"), list(examples()))
def test_an_example_gives_what_it_says(needs, code, tmp_path, monkeypatch):
    without_reports(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    for module in needs:
        pytest.importorskip(module, reason=f"{module} is not installed; see run_isolated.py")
    assert differing(code) == []


def test_a_comment_that_lies_is_found():
    assert differing("x = 1\nx + 1  # 3\nx  # 1\n") == ["x + 1  # 3 gives 2"]


def test_every_adapter_is_on_the_page():
    import ipguard.integrations

    folder = Path(ipguard.integrations.__file__).parent
    shared = {"__init__", "check", "contents"}
    adapters = {path.stem for path in folder.glob("*.py")} - shared
    assert {name for name in adapters if f"ipguard.integrations.{name}" not in PAGE} <= {"mcp"}
    assert "`ipguard mcp`" in PAGE


def test_the_client_of_the_page_calls_a_command_that_there_is():
    from ipguard.cli.app import app

    (server,) = json.loads(re.search(r"<!-- mcp -->\n```json\n(.*?)```", PAGE, re.DOTALL)[1])["mcpServers"].values()
    assert server["command"] == "ipguard"
    assert server["args"] == [next(c.name for c in app.registered_commands if c.name == "mcp")]


@pytest.mark.parametrize(
    ("module", "library", "extra"),
    [
        ("agents", "agents", "agents"),
        ("langchain", "langchain_core", "langchain"),
        ("langchain", "langchain", "langchain"),
        ("litellm", "litellm", "litellm"),
        ("mcp", "mcp", "mcp"),
        ("haystack", "haystack", "haystack"),
        ("guardrails", "guardrails", "guardrails"),
        ("openai_guardrails", "guardrails", "openai-guardrails"),
    ],
)
def test_a_missing_extra_is_named(module, library, extra, monkeypatch):
    # A module that is None cannot be imported.
    for name in [library, *(name for name in sys.modules if name.startswith(f"{library}."))]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, f"ipguard.integrations.{module}", raising=False)
    with pytest.raises(MissingExtraError, match=re.escape(f"ipguard-prompts[{extra}]")):
        import_module(f"ipguard.integrations.{module}")


def test_the_shared_parts_import_no_framework():
    code = (
        "import sys, ipguard.integrations, ipguard.integrations.asgi, ipguard.integrations.llm_guard, "
        "ipguard.integrations.nemo, ipguard.integrations.live\n"
        "print([m for m in sys.modules if m.partition('.')[0] in "
        "{'langchain', 'litellm', 'mcp', 'agents', 'guardrails', 'haystack', 'llm_guard', 'nemoguardrails', "
        "'starlette', 'fastapi', 'pydantic', 'openai'}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
