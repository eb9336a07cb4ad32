"""The examples in the documentation run, and nothing public goes without one."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import app.masks

MODULES = [
    "app.masks",
    *(f"app.masks.{module.name}" for module in pkgutil.iter_modules(app.masks.__path__)),
]
FUNCTIONS = [name for name in app.masks.__all__ if inspect.isfunction(getattr(app.masks, name))]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_function_has_an_example(name: str) -> None:
    assert ">>>" in (getattr(app.masks, name).__doc__ or "")


def test_the_overview_names_everything() -> None:
    for name in FUNCTIONS:
        assert f"`{name}`" in (app.masks.__doc__ or ""), name
