"""docs/coco-api.md names every call of the client, and only routes that exist."""

import doctest
import inspect
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from pycocotools import coco as pycocotools

from app.client import COCO, coco
from tests.api.test_access import routes_of

PAGE = (Path(__file__).parent.parent.parent / "docs" / "coco-api.md").read_text()
METHODS = [name for name in vars(pycocotools.COCO) if not name.startswith("_")]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_there_with_its_arguments(name: str) -> None:
    wanted = list(inspect.signature(getattr(pycocotools.COCO, name)).parameters)
    assert list(inspect.signature(getattr(COCO, name)).parameters) == wanted
    assert re.search(rf"^\| `{name}\(", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", vars(pycocotools.COCO()))
def test_every_attribute_is_there(name: str) -> None:
    assert hasattr(COCO(), name)
    assert f"`{name}`" in PAGE


def test_every_route_on_the_page_exists(app: FastAPI) -> None:
    named = set(re.findall(r"`((?:GET|POST) /api/[^` ?]+)`", PAGE))
    assert len(named) > 8
    assert named - set(routes_of(app)) == {"POST /api/masks/{op}"}


def test_the_example_in_the_docstring() -> None:
    assert doctest.testmod(coco).failed == 0
    assert doctest.testmod(coco).attempted > 2
