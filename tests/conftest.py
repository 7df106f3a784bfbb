"""For all tests: Hypothesis measures no time, which says more about the machine than about an example."""

from hypothesis import settings

settings.register_profile("neuroemu", deadline=None, max_examples=50)
settings.load_profile("neuroemu")
