"""The neuron of docs/spec/chip-neuron.md, line by line."""

from neuroemu.golden.chip import ChipNeuron, Decay
from neuroemu.golden.narrow import Narrowing
from neuroemu.golden.sites import Sites


class ChipUnit:
    """One neuron: the page's table of state, and its lines.

    Parameters
    ----------
    neuron : ChipNeuron
    lane : int
        Number within the trial.
    sites : Sites
    """

    def __init__(self, neuron: ChipNeuron, lane: int, sites: Sites) -> None:
        self.neuron = neuron
        self.lane = lane
        self.sites = sites
        self.v = neuron.v_init
        self.refractory = 0
        self.exc = self.inh = 0
        self.exc_in = self.inh_in = 0
        self.pending = 0

    def narrow(self, site: str, x: int, spec: Narrowing) -> int:
        """Narrow at a site of this neuron."""
        return self.sites.narrow(site, self.lane, x, spec)

    def nearer_0(self, site: str, x: int, decay: Decay) -> int:
        """Decay or leak of `x`."""
        kept = self.narrow(site, x * decay.factor, decay.site)
        if x > 0:
            return min(kept, x - min(decay.least, x))
        return max(kept, x + min(decay.least, -x))

    def advance(self) -> int:
        """Lines 1 to 5; return how many spikes are sent."""
        before = self.v
        waiting = max(self.refractory - 1, 0)
        force = self.current()
        u = self.membrane(waiting, force)
        n = self.spikes(before if self.neuron.tests == "unleaked" else u) if waiting == 0 else 0
        self.reset(waiting, u, n)
        sent = min(self.pending + n, self.neuron.most_spikes)
        self.pending = self.pending + n - sent
        return sent

    def current(self) -> int:
        """Line 2: what the currents do to the membrane."""
        neuron, site = self.neuron, self.neuron.current_site
        exc = self.nearer_0("decay", self.exc, neuron.current)
        inh = self.nearer_0("decay", self.inh, neuron.current)
        self.exc = self.narrow("current", exc + neuron.scale * self.exc_in, site)
        self.inh = self.narrow("current", inh + neuron.scale * self.inh_in, site)
        self.exc_in = self.inh_in = 0
        factor = 1 if neuron.resistance is None else neuron.resistance
        wide = (self.exc - self.inh) * factor + neuron.bias_in
        return self.narrow("force", wide, neuron.force_site)

    def membrane(self, waiting: int, force: int) -> int:
        """Line 3: u. A leak that draws does so also while the neuron waits."""
        neuron = self.neuron
        if neuron.resistance is None:
            slope = self.nearer_0("leak", self.v, neuron.leak) - self.v + force
        else:
            gap = force - self.v
            slope = gap - self.nearer_0("leak", gap, neuron.leak)
        if waiting > 0:
            return self.v
        slope = self.narrow("slope", slope, neuron.slope_site)
        slope = self.narrow("slope", slope + neuron.bias, neuron.slope_site)
        return self.narrow("membrane", self.v + slope, neuron.membrane_site)

    def spikes(self, t: int) -> int:
        """Line 4: n."""
        neuron = self.neuron
        if neuron.step is None:
            return 1 if t > neuron.threshold else 0
        most = neuron.most_spikes
        return next((n for n in range(most) if t - n * neuron.step <= neuron.threshold), most)

    def reset(self, waiting: int, u: int, n: int) -> None:
        """Line 5, without the sending."""
        neuron = self.neuron
        self.refractory = waiting if n == 0 else neuron.refractory_steps
        if n > 0:
            self.v = self.after_spikes(u, n)
        elif waiting == 0 and neuron.floor is not None and u < neuron.floor:
            subtracts = neuron.step is not None
            raised = u - neuron.floor
            self.v = self.narrow("membrane", raised, neuron.membrane_site) if subtracts else 0
        else:
            self.v = u

    def after_spikes(self, u: int, n: int) -> int:
        """Return where `n` spikes take the membrane from `u`."""
        neuron = self.neuron
        if neuron.step is None:
            return neuron.reset
        return self.narrow("membrane", u - n * neuron.step, neuron.membrane_site)

    def receive(self, drive: int) -> None:
        """Line 6, at the neuron."""
        neuron, site = self.neuron, self.neuron.input_site
        exc = max(drive, 0) if neuron.channels == "two" else drive
        inh = max(-drive, 0) if neuron.channels == "two" else 0
        match neuron.input:
            case "membrane":
                if self.refractory == 0:
                    self.v = self.narrow("input", self.v + drive, site)
                    self.judge()
            case "current":
                self.exc = self.narrow("input", self.exc + exc, site)
                self.inh = self.narrow("input", self.inh + inh, site)
            case _:
                self.exc_in = self.narrow("input", self.exc_in + exc, site)
                self.inh_in = self.narrow("input", self.inh_in + inh, site)

    def judge(self) -> None:
        """Line 6: the spike of an event, which waits for the next step."""
        if self.neuron.evaluation == "event" and self.v > self.neuron.threshold:
            self.pending += 1
            self.v = self.after_spikes(self.v, 1)
            self.refractory = self.neuron.refractory_steps


class ChipPopulation:
    """The neurons of one population, with the methods of `neuroemu.golden.lif.LifPopulation`."""

    def __init__(self, size: int, neuron: ChipNeuron, first_lane: int, sites: Sites) -> None:
        self.units = [ChipUnit(neuron, first_lane + i, sites) for i in range(size)]

    @property
    def membrane(self) -> list[int]:
        """The raw v of each neuron."""
        return [unit.v for unit in self.units]

    def advance(self) -> list[int]:
        """Lines 1 to 5; return who sends, in order, each as often as it sends."""
        return [i for i, unit in enumerate(self.units) for _ in range(unit.advance())]

    def receive(self, i: int, drive: int) -> None:
        """Line 6, at neuron `i`."""
        self.units[i].receive(drive)

    def reset(self, spiked: list[int]) -> None:
        """Nothing: a chip neuron resets in line 5."""
