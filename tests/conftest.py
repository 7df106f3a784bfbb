"""For all tests: Hypothesis measures no time, which says more about the machine than about an example."""

from hypothesis import settings

settings.register_profile("neuroemu", deadline=None)
settings.load_profile("neuroemu")
