"""For all tests: what Hypothesis measures and how much it draws, and what garbage collection looks at."""

import gc

import pytest
from hypothesis import settings

# No time: it says more about the machine than about an example.
settings.register_profile("neuroemu", deadline=None, max_examples=50)
settings.load_profile("neuroemu")


@pytest.fixture(autouse=True, scope="module")
def what_is_there_is_not_looked_at_again() -> None:
    """Brian2 collects garbage before every run, and would look at all that imports and compilers have left."""
    gc.collect()
    gc.freeze()
