"""The package's surface, and what importing it costs."""

import subprocess
import sys
import textwrap

import pytest

import ipguard


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_public_name_is_there():
    for name in ipguard.__all__:
        assert getattr(ipguard, name) is not None
    assert set(ipguard.__all__) <= set(dir(ipguard))


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = ipguard.no_such_thing


def test_import_loads_no_library():
    heavy = "numpy torch sklearn sentence_transformers datasets tokenizers typer rich msgspec"
    out = run(f"""
        import sys, ipguard
        print([m for m in {heavy!r}.split() if m in sys.modules])
    """)
    assert out.strip() == "[]"


def test_scoring_loads_neither_torch_nor_scikit_learn():
    out = run("""
        import sys, ipguard
        assert ipguard.score("Pikachu in the rain").flagged
        print([m for m in ("torch", "sklearn", "sentence_transformers", "datasets", "joblib", "scipy") if m in sys.modules])
    """)
    assert out.strip() == "[]"


def test_scoring_opens_no_socket():
    run("""
        import socket
        def refuse(*args, **kwargs):
            raise AssertionError("the network was touched")
        socket.socket.connect = refuse
        socket.getaddrinfo = refuse
        import ipguard
        ipguard.score("a castle at dawn")
    """)


def test_module_functions_agree_with_a_guard(guard):
    assert ipguard.score("Pikachu in the rain") == guard.score("Pikachu in the rain")
    assert ipguard.score_many(["Pikachu", "a lake"]) == guard.score_many(["Pikachu", "a lake"])
