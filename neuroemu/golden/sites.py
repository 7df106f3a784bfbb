"""The sites of a running trial: who narrows, which word is drawn, and where a run has to stop."""

from collections.abc import Callable

from neuroemu.golden.narrow import Narrow, Narrowing, overflows

Words = Callable[[str, int, int], int]
"""Random 32-bit word of (site, lane, step); see `neuroemu.golden.trial.run`."""


class SiteOverflowError(ArithmeticError):
    """A value left the range at a site whose overflow rule is ``error``.

    Attributes
    ----------
    site : str
    lane : int
        Neuron, synapse or plastic synapse, numbered through the trial; at the site ``count`` the
        unit of its population or source.
    step : int
    """

    def __init__(self, *, site: str, lane: int, step: int) -> None:
        super().__init__(f"overflow at site {site}, lane {lane}, step {step}")
        self.site = site
        self.lane = lane
        self.step = step


class Sites:
    """All sites of a trial, in its present step.

    Parameters
    ----------
    narrow : Narrow
        The judge of a single narrowing.
    words : Words
        Random words.
    """

    def __init__(self, narrow: Narrow, words: Words) -> None:
        self._narrow = narrow
        self._words = words
        self.step = 0

    def narrow(self, site: str, lane: int, x: int, spec: Narrowing) -> int:
        """Narrow at a named site; a word is drawn where the rounding has bits to draw."""
        draws = spec.rounding == "stochastic" and spec.shift > 0
        word = self._words(site, lane, self.step) if draws else 0
        if spec.overflow == "error" and overflows(x, spec, word):
            raise SiteOverflowError(site=site, lane=lane, step=self.step)
        return self._narrow(x, spec, word)
