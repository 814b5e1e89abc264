"""Tests of adapters whose libraries cannot live with ours or with each other, each in an environment of its own.

python tests/integrations/run_isolated.py              every one
python tests/integrations/run_isolated.py nemo         one
python tests/integrations/run_isolated.py --changed    those whose files differ from the last run that passed

A run that passes is written to isolated.json beside this file, to be committed with the change.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RECORD = HERE / "isolated.json"
PAGE = ROOT / "docs" / "integrations.md"
SHARED = (
    "ipguard/integrations/check.py",
    "ipguard/integrations/contents.py",
    "tests/integrations/conftest.py",
    "tests/integrations/run_isolated.py",
    "tests/integrations/test_examples.py",
)


@dataclass(frozen=True)
class Environment:
    """What one library needs.

    ``steps`` are installed one after the other, ``module`` must then be there (or its tests would skip), ``files``
    are what the outcome depends on beside SHARED and the part of the page under ``heading``, and ``shown`` are the
    packages whose versions are recorded.
    """

    heading: str
    steps: tuple[tuple[str, ...], ...]
    module: str
    tests: tuple[str, ...]
    files: tuple[str, ...]
    shown: tuple[str, ...]


ENVIRONMENTS = {
    "guardrails-ai": Environment(
        "guardrails-ai",
        ((".[guardrails]",),),
        "guardrails.validator_base",
        ("test_guardrails_ai.py",),
        ("ipguard/integrations/guardrails.py",),
        ("guardrails-ai",),
    ),
    "llm-guard": Environment(
        "llm-guard",
        # The CPU build first: whatever asks for torch later is content with it.
        (("torch==2.13.0",), (".", "llm-guard>=0.3.16")),
        "llm_guard",
        ("test_llm_guard.py",),
        ("ipguard/integrations/llm_guard.py",),
        ("llm-guard", "transformers"),
    ),
    "openai-guardrails": Environment(
        "openai-guardrails",
        ((".[openai-guardrails]",),),
        "guardrails.runtime",
        ("test_openai_guardrails.py",),
        ("ipguard/integrations/openai_guardrails.py",),
        ("openai-guardrails", "openai-agents"),
    ),
    "nemo": Environment(
        "NeMo Guardrails",
        ((".", "nemoguardrails>=0.24"),),
        "nemoguardrails",
        ("test_nemo.py",),
        ("ipguard/integrations/nemo.py",),
        ("nemoguardrails",),
    ),
    "litellm-proxy": Environment(
        "LiteLLM",
        ((".[serve]", "litellm[proxy]>=1.108"),),
        "litellm.proxy.proxy_cli",
        ("test_litellm.py", "test_litellm_proxy.py"),
        ("ipguard/integrations/litellm.py", "ipguard/serve/routes/litellm.py", "ipguard/serve/schemas.py"),
        ("litellm", "fastapi"),
    ),
}


def fingerprint(environment: Environment) -> str:
    """Hash of the files that the outcome depends on."""
    digest = sha256()
    tests = tuple(f"tests/integrations/{name}" for name in environment.tests)
    for name in (*SHARED, *environment.files, *tests):
        digest.update(name.encode() + b"\0" + (ROOT / name).read_bytes() + b"\0")
    digest.update(PAGE.read_text("utf-8").partition(f"\n## {environment.heading}\n")[2].partition("\n## ")[0].encode())
    return digest.hexdigest()[:16]


def run(name: str, environment: Environment) -> dict[str, str]:
    """Make the environment, run its tests, and return the versions that passed."""
    print(f"== {name}", flush=True)
    with tempfile.TemporaryDirectory(prefix=f"ipguard-{name}-") as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        for step in (*environment.steps, ("pytest>=8.2", "hypothesis>=6.100")):
            subprocess.run([python, "-m", "pip", "install", "--quiet", *step], cwd=ROOT, check=True)
        # LiteLLM fetches prices when it is imported.
        offline = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        subprocess.run([python, "-c", f"import {environment.module}"], cwd=ROOT, env=offline, check=True)
        tests = [str(HERE / test) for test in (*environment.tests, "test_examples.py")]
        # Warnings of other people's libraries are not ours to mend.
        command = [python, "-m", "pytest", "-q", "-W", "default", "-p", "no:cacheprovider", *tests]
        subprocess.run(command, cwd=ROOT, check=True)
        code = f"from importlib.metadata import version; import json; print(json.dumps([*map(version, {environment.shown})]))"
        done = subprocess.run([python, "-c", code], capture_output=True, check=True)
        return dict(zip(environment.shown, json.loads(done.stdout), strict=True))


def main() -> int:
    """Run what is asked for; exit with 1 if any of it fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=", ".join(ENVIRONMENTS))
    parser.add_argument("--changed", action="store_true", help="only where files differ from the record")
    given = parser.parse_args()
    unknown = set(given.names) - set(ENVIRONMENTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(ENVIRONMENTS)}")
    record = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    failed = []
    for name in given.names or ENVIRONMENTS:
        found = fingerprint(ENVIRONMENTS[name])
        if given.changed and record.get(name, {}).get("files") == found:
            print(f"== {name}: as in the run that passed", flush=True)
            continue
        try:
            versions = run(name, ENVIRONMENTS[name])
        except subprocess.CalledProcessError as error:
            print(f"{name}: {error}", flush=True)
            failed.append(name)
            continue
        record[name] = {"files": found, "versions": versions}
        RECORD.write_text(json.dumps(dict(sorted(record.items())), indent=1) + "\n", "utf-8")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
