"""One trial over Python's own numbers: its state, and the lines of a step as methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neuroemu.engine.bundles import MEMBRANE, TALLIED
from neuroemu.engine.exact_network import ExactNetwork
from neuroemu.engine.watched import Place, Watched, plain
from neuroemu.models import counter as counters
from neuroemu.models.arithmetic import Arithmetic
from neuroemu.models.counter import Counter, CounterSites
from neuroemu.models.homeostasis import (
    HomeostasisParams,
    HomeostasisSites,
    change_from_counts,
    update,
    update_deferred,
)
from neuroemu.models.neurons import advance, clipped, flushed, receive, reset, state_of, stuck
from neuroemu.models.pair_controller import PairSites, at_post, at_pre, at_readout, start
from neuroemu.models.synapse import SynapseSites, drive
from neuroemu.numeric.bits import lfsr_clock, lfsr_seed, lfsr_word, philox, stream_key
from neuroemu.numeric.ops import overflowed
from neuroemu.numeric.site import Exact

HOUSEKEEPING = 1024
"""Steps between flushes of subnormal membranes: docs/spec/lif.md."""

TINY = 1e-290


class ExactTrial:
    """One trial: its state, and the lines of a step as methods."""

    def __init__(
        self,
        network: ExactNetwork,
        a: Arithmetic,
        sites: Mapping[str, Watched],
        place: Place,
        seed: int,
        trial: int,
    ) -> None:
        self.network, self.a, self.place = network, a, place
        named = {name: sites[name] for name in a.neuron_sites._fields if name in sites}
        own = plain(a.neuron_sites)
        self.neuron_sites = own._replace(**named)
        self.unwatched = own._replace(**{name: watched.site for name, watched in named.items()})
        self.synapse_sites = SynapseSites(drive=sites["drive"])
        self.rule_sites = HomeostasisSites(*(sites[name] for name in HomeostasisSites._fields))
        self.counter_sites = CounterSites(count=sites["count"], read=sites["read"])
        kind = state_of(a.neuron_sites)
        zeros = dict.fromkeys(kind._fields, 0)
        self.neurons = [kind(**(zeros | {"v": v})) for v in network.v_init]
        self.weights = [network.projections[p].weight for _, _, p in network.slots]
        self.since = [0] * len(network.slots)
        self.pair_sites = PairSites(charge=Exact())
        self.pairs = [
            start(self.weights[slot], network.pairs[p])
            for slot, (_, _, p) in enumerate(network.slots)
            if p in network.pairs
        ]
        self.clear_counters()
        self.keys = {site: stream_key(seed, trial, site) for site in ("leak", "drive", "store")}
        width = a.random.width
        self.lfsr = [lfsr_seed(seed, trial, slot, width) for slot in range(len(network.slots))]
        self.taps = sum(2 ** (t - 1) for t in a.random.taps)
        # what is written down
        self.spikes: list[tuple[int, int]] = []
        self.changes: list[tuple[int, int, Any]] = []
        self.samples: list[list[Any]] = []
        self.n_sampled = 0
        self.tally = [[0, 0, 0, 0] for _ in TALLIED]
        self.before: dict[int, Any] = {}  # recorded weights before this step, in order of change

    def run(
        self,
        inputs: Mapping[int, list[int]],
        stop: int,
        grid: tuple[int, int, int],
        members: Sequence[int],
    ) -> None:
        """Do the steps 0 to `stop`; `inputs` are the source units of each step, sorted."""
        start, last, every = grid
        self.n_sampled = len(members)
        for k in range(stop):
            self.place.step = k
            if k % HOUSEKEEPING == 0:
                self.housekeeping(k)
            if start <= k < last and (k - start) % every == 0:
                self.samples.append([self.neurons[n].v for n in members])
            self.step(k, inputs.get(k, []))

    def step(self, k: int, sources: list[int]) -> None:
        """One step: the six lines of docs/spec/lif.md, then the periodic update."""
        fired = self.wait_leak_fire(k)
        if self.a.update == "pairs":
            for neuron in fired:
                self.note_post(k, neuron)
        units = sources + [self.network.n_sources + neuron for neuron in fired]
        for p in range(len(self.network.projections)):
            for unit in units:
                self.deliver(k, p, unit)
        if self.a.update == "periodic":
            for unit in units:
                self.count(k, unit)
        if self.a.update in ("event", "deferred"):
            for neuron in fired:
                self.depress(k, neuron)
        for neuron in fired:
            self.neurons[neuron] = reset(self.neurons[neuron], self.network.neurons[neuron])
        if self.a.update == "pairs":
            self.read_rows(k)
        if self.a.update == "periodic" and (k + 1) % self.a.clock.period_steps == 0:
            self.end_period(k)
        for slot, old in self.before.items():
            if self.weights[slot] != old:
                self.changes.append((k, slot, self.weights[slot]))
        self.before = {}

    # Neurons

    def wait_leak_fire(self, k: int) -> list[int]:
        """Lines 1 to 3; returns the neurons that fired, in order."""
        fired = []
        for neuron, params in enumerate(self.network.neurons):
            self.place.index = neuron
            word = self.word("leak", k, neuron)
            after, sent = advance(self.neurons[neuron], params, self.neuron_sites, word)
            self.neurons[neuron] = after
            fired += [neuron] * int(sent)
            self.spikes += [(k, neuron)] * int(sent)
        return fired

    def housekeeping(self, k: int) -> None:
        """Flush subnormal membranes, and count those that the leak no longer moves."""
        for neuron, params in enumerate(self.network.neurons):
            state = self.neurons[neuron] = flushed(self.neurons[neuron], TINY)
            word = self.word("leak", k, neuron)
            self.note("leak", k, lost=stuck(state, params, self.unwatched, word))
            first = self.tally[MEMBRANE]
            first[1] = first[1] or (k if clipped(state) > 0 else 0)

    # Synapses

    def deliver(self, k: int, p: int, unit: int) -> None:
        """Line 4 for one presynaptic spike in one projection."""
        projection = self.network.projections[p]
        for synapse, neuron, slot in projection.rows.get(unit, []):
            if slot is not None and projection.rule is not None and self.a.update == "deferred":
                self.learn_late(k, slot, projection.rule)
            w = projection.weight if slot is None else self.weights[slot]
            word = self.word("drive", k, synapse)
            self.place.index = synapse
            amount = drive(w, projection.gain, self.synapse_sites, word)
            params = self.network.neurons[neuron]
            self.place.index = neuron
            self.neurons[neuron], input_over = receive(
                self.neurons[neuron], amount, params, self.neuron_sites
            )
            over = overflowed(w * projection.gain, self.synapse_sites.drive, word)
            self.note("drive", k, overflow=over, lost=amount == 0 and w != 0)
            self.note("input", k, overflow=input_over)
            if slot is not None and self.a.update == "pairs":
                pairs = self.network.pairs[p]
                self.pairs[slot] = at_pre(self.pairs[slot], k, pairs, self.pair_sites)
            if slot is not None and projection.rule is not None and self.a.update == "event":
                self.learn(k, slot, projection.rule, projection.rule.dw_plus)

    def depress(self, k: int, neuron: int) -> None:
        """Line 5 for one postsynaptic spike."""
        for slot, (_, post, p) in enumerate(self.network.slots):
            rule = self.network.projections[p].rule
            if post != neuron or rule is None:
                continue
            if self.a.update == "event":
                self.learn(k, slot, rule, -rule.dw_minus)
            else:
                self.place.index = slot
                before = Counter(self.since[slot], False)
                after = counters.increment(before, self.counter_sites)
                self.since[slot] = after.count
                self.note("count", k, overflow=after.sticky)

    def learn(self, k: int, slot: int, rule: HomeostasisParams, change: Any) -> None:
        """Update one weight: docs/spec/plasticity.md."""
        self.place.index = slot
        word = self.word("store", k, slot)
        before = self.weights[slot]
        if slot in self.network.recorded:
            self.before.setdefault(slot, before)
        after, wide = update(before, change, rule, self.rule_sites, word)
        self.keep(k, slot, after, wide, rule, word)

    def learn_late(self, k: int, slot: int, rule: HomeostasisParams) -> None:
        """Update one weight by the spikes since its last update: docs/spec/plasticity.md."""
        self.place.index = slot
        word = self.word("store", k, slot)
        before = self.weights[slot]
        if slot in self.network.recorded:
            self.before.setdefault(slot, before)
        after, wide = update_deferred(before, self.since[slot], rule, self.rule_sites, word)
        self.since[slot] = 0
        self.keep(k, slot, after, wide, rule, word)

    def keep(
        self, k: int, slot: int, after: Any, wide: Any, rule: HomeostasisParams, word: int
    ) -> None:
        """Store a weight, and count what the sites did on the way."""
        before = self.weights[slot]
        self.weights[slot] = after
        over = overflowed(wide.accumulate, self.rule_sites.accumulate, 0)
        self.note("accumulate", k, overflow=over)
        over = overflowed(wide.store, self.rule_sites.store, word)
        lost = after == before and wide.store != before * rule.unit
        self.note("store", k, overflow=over, lost=lost)

    # Pair sensors

    def note_post(self, k: int, neuron: int) -> None:
        """Show a postsynaptic spike to the sensors of the neuron's synapses."""
        for slot, (_, post, p) in enumerate(self.network.slots):
            if post == neuron:
                params = self.network.pairs[p]
                self.pairs[slot] = at_post(self.pairs[slot], k, params, self.pair_sites)

    def read_rows(self, k: int) -> None:
        """Let the controller read the rows whose turn it is: docs/spec/pair-controller.md."""
        turn, row = self.a.clock.period_steps, self.a.clock.row_steps
        for r, unit in enumerate(sorted({pre for pre, _, _ in self.network.slots})):
            if (k + 1) % turn != r * row % turn:
                continue
            for slot, (pre, _, p) in enumerate(self.network.slots):
                if pre == unit:
                    if slot in self.network.recorded:
                        self.before.setdefault(slot, self.weights[slot])
                    after, _ = at_readout(self.pairs[slot], self.network.pairs[p], self.pair_sites)
                    self.pairs[slot], self.weights[slot] = after, after.weight

    # Counters

    def clear_counters(self) -> None:
        """Let every counter of a unit with a plastic synapse start again."""
        units = {pre for pre, _, _ in self.network.slots}
        units |= {self.network.n_sources + post for _, post, _ in self.network.slots}
        self.counts = {unit: Counter(0, False) for unit in units}

    def count(self, k: int, unit: int) -> None:
        """Count one spike."""
        if unit in self.counts:
            self.place.index = unit
            before = self.counts[unit]
            after = self.counts[unit] = counters.increment(before, self.counter_sites)
            self.note("count", k, overflow=after.sticky and not before.sticky)

    def end_period(self, k: int) -> None:
        """Read the counters, update every plastic synapse, start again."""
        full = self.a.counter_overflow
        for slot, (pre, post, p) in enumerate(self.network.slots):
            rule = self.network.projections[p].rule
            if rule is None:
                continue
            self.place.index = slot
            n_pre = counters.read(self.counts[pre], full, self.counter_sites)
            n_post = counters.read(
                self.counts[self.network.n_sources + post], full, self.counter_sites
            )
            change, wide = change_from_counts(n_pre, n_post, rule, self.rule_sites)
            for name in ("plus", "minus", "change"):
                site = getattr(self.rule_sites, name)
                self.note(name, k, overflow=overflowed(getattr(wide, name), site, 0))
            self.learn(k, slot, rule, change)
        self.clear_counters()

    # Random words, tallies

    def word(self, site: str, k: int, index: int) -> int:
        """Return the random word of a draw, 0 where the site draws none."""
        if site not in self.a.stochastic:
            return 0
        random = self.a.random
        if site == "store" and random.source == "lfsr":
            state = lfsr_clock(self.lfsr[index], random.width, self.taps, random.bits_per_draw)
            self.lfsr[index] = state
            return int(lfsr_word(state, random.output_bits))
        return int(philox(k, index, self.keys[site]))

    def note(self, site: str, k: int, *, overflow: Any = False, lost: Any = False) -> None:
        """Count what a site did, and keep the first step of each."""
        row = self.tally[TALLIED.index(site)]
        for happened, what in ((overflow, 0), (lost, 2)):
            if happened:
                row[what + 1] = row[what + 1] if row[what] else k
                row[what] += 1
