"""Keys: made once, kept as hashes, told apart by role."""

import os

import pytest

from ipguard.errors import InvalidArgumentError, ServeError
from ipguard.serve.keys import ROLES, Caller, KeyRing, digest, new_key


def test_a_new_key_opens_and_its_line_does_not_hold_it(tmp_path):
    key, line = new_key("gateway", "read")
    (tmp_path / "keys").write_text(line + "\n")
    ring = KeyRing.load(tmp_path / "keys")
    assert ring.caller(key) == Caller("gateway", "read")
    assert key not in line
    assert digest(key) in line
    assert ring.caller(key[:-1]) is ring.caller("") is ring.caller(line) is ring.caller("鍵\ud800") is None
    assert new_key("gateway", "read")[0] != key


def test_roles_include_those_before_them():
    may = {role: [other for other in ROLES if Caller("x", role).may(other)] for role in ROLES}
    assert may == {"end_user": ["end_user"], "read": ["end_user", "read"], "policy": ["end_user", "read", "policy"]}


@pytest.mark.parametrize(("name", "role"), [("a b", "read"), ("", "read"), ("a:b", "read"), ("a", "admin")])
def test_names_and_roles_are_checked(name, role):
    with pytest.raises(InvalidArgumentError):
        new_key(name, role)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no key"),
        ("# only a comment\n", "holds no key"),
        ("gateway:read:abc\n", "keys:1 is not a key"),
        (f"\ngateway:root:{'0' * 64}\n", "keys:2 is not a key"),
        (f"a:read:{'0' * 64}\na:read:{'1' * 64}\n", "keys:2 repeats the name 'a'"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path, content, message):
    path = tmp_path / "keys"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ServeError, match=message):
        KeyRing.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ServeError, match=f"nothing{os.sep}keys"):
        KeyRing.load(tmp_path / "nothing" / "keys")
