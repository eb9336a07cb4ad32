"""Who calls, in most tests of routes: the owner of a dataset."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from app.models import Dataset, User
from tests.build import make_dataset, make_user
from tests.conftest import ApiClient


@pytest.fixture
def owner(session: Session) -> User:
    return make_user(session)


@pytest.fixture
def dataset(session: Session, owner: User) -> Dataset:
    """An empty dataset."""
    return make_dataset(session, owner=owner)


@pytest.fixture
def api(owner: User, client_for: Callable[[User], ApiClient]) -> ApiClient:
    """A client that acts as the owner."""
    return client_for(owner)
