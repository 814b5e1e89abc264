"""Without the extra the error names the command that installs it, and nothing else is slower for the service."""

import subprocess
import sys

import pytest


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("package", ["fastapi", "prometheus_client", "sqlalchemy"])
@pytest.mark.parametrize(
    "use",
    ["from ipguard.serve import create_app", "from ipguard.cli.serving import serve; serve(port=0, log_level='info')"],
)
def test_a_missing_package_names_its_extra(package, use):
    done = run(f"import sys; sys.modules[{package!r}] = None\n{use}")
    assert done.returncode == 1
    assert "MissingExtraError" in done.stderr
    assert "ipguard-prompts[" in done.stderr.splitlines()[-1]


def test_help_loads_nothing_of_it():
    done = run(
        "import sys, ipguard.cli, ipguard.serve; print(*(m for m in ('fastapi', 'uvicorn', 'sqlalchemy') if m in sys.modules))"
    )
    assert done.stdout.strip() == "", done.stderr
