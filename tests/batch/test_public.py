"""What ``ipguard.batch`` offers."""

import pytest

import ipguard.batch


def test_every_name_is_there():
    for name in ipguard.batch.__all__:
        assert getattr(ipguard.batch, name).__name__.casefold() == name.casefold()
    with pytest.raises(AttributeError, match="nothing"):
        _ = ipguard.batch.nothing
