"""The error tree: one root, messages that name argument, rule and value, and pickling."""

import inspect
import pickle

import pytest

from ipguard import errors


def test_every_error_has_the_one_root():
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__]
    assert len(classes) >= 12
    assert all(issubclass(c, errors.IpguardError) for c in classes)
    assert all(c.__name__ in errors.__doc__ for c in classes), "the tree in the docstring is complete"


def test_message_names_argument_rule_and_value():
    error = errors.InvalidArgumentError("review", "lie in [0, 1]", 7)
    assert str(error) == "review must lie in [0, 1]. Got 7 (int)."
    assert isinstance(error, ValueError)


def test_long_values_are_cut():
    assert len(str(errors.InvalidArgumentError("x", "be short", "y" * 10_000))) < 150


@pytest.mark.parametrize(
    "error",
    [
        errors.InvalidPromptError("prompt", "be a string", None),
        errors.CatalogueFormatError("a.jsonl", 3, "schema", "no"),
        errors.MissingExtraError("training", "train"),
    ],
)
def test_errors_cross_processes(error):
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is type(error)
    assert str(again) == str(error)


def test_missing_extra_names_the_install_command():
    assert "pip install 'ipguard-prompts[train]'" in str(errors.MissingExtraError("training", "train"))
