"""Neurons of published circuits, said again in plain integers, an event or a tick at a time.

Source
------
ODIN, tinyODIN, ReckOn: the circuits' equations as docs/spec/odin.md and docs/spec/reckon.md have them, whose statements
were simulated with Icarus Verilog; tinyODIN's in the same way (ChFrenkel/tinyODIN @18656534, lif_neuron.v).
RANC: UA-RCL/RANC @79aa3e3e, ThresholdResetUnit.v, IntegratorUnit.v, NeuronBlock.v.
"""

from dataclasses import dataclass, field


def wrapped(x: int, bits: int) -> int:
    """Return what a two's complement register of `bits` holds of `x`."""
    return (x + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


@dataclass
class Queue:
    """What is common: the membrane, and spikes that have not been sent."""

    v: int = 0
    pending: int = 0
    sent: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=list)

    def run(self, counts: list[list[int]], weights: list[int]) -> None:
        """Do a tick for each row of `counts`: leak first, then every event of every channel."""
        for row in counts:
            self.before.append(self.v)
            spike = self.tick()
            self.sent.append(self.pending + spike)
            self.pending = 0
            for n, weight in zip(row, weights, strict=True):
                for _ in range(n):
                    self.pending += self.event(weight)

    def tick(self) -> bool:
        """Do a time reference; return whether the neuron spikes."""
        raise NotImplementedError

    def event(self, weight: int) -> bool:
        """Take one spike; return whether the neuron spikes at once."""
        raise NotImplementedError


@dataclass
class Odin(Queue):
    """ODIN's LIF neuron without calcium: 8 bits without a sign."""

    threshold: int = 1
    leak: int = 0

    def judge(self, x: int) -> bool:
        spike = x >= self.threshold
        self.v = 0 if spike else x
        return spike

    def tick(self) -> bool:
        return self.judge(max(self.v - self.leak, 0))

    def event(self, weight: int) -> bool:
        return self.judge(max(min(self.v + weight, 255), 0))


@dataclass
class TinyOdin(Odin):
    """tinyODIN: 12 bits and a sign, the leak is towards 0."""

    def judge(self, x: int) -> bool:
        return super().judge(x) if x >= 0 else self.keep(x)

    def keep(self, x: int) -> bool:
        self.v = x
        return False

    def tick(self) -> bool:
        v, leak = self.v, self.leak
        return self.judge(max(v - leak, 0) if v >= 0 else min(v + leak, 0))

    def event(self, weight: int) -> bool:
        return self.judge(max(min(self.v + weight, 2047), -2048))


@dataclass
class ReckOn(Queue):
    """ReckOn's recurrent neuron without noise."""

    threshold: int = 1
    alpha: int = 0
    resets_to_zero: bool = True

    def tick(self) -> bool:
        spike = self.v >= self.threshold
        leaked = wrapped(self.v * self.alpha // 2**15, 16)
        if spike:
            leaked = 0 if self.resets_to_zero else wrapped(leaked - self.threshold, 16)
        self.v = leaked
        return spike

    def event(self, weight: int) -> bool:
        self.v = max(min(self.v + weight, 32767), -32768)
        return False


@dataclass
class Ranc(Queue):
    """RANC's neuron, absolute reset to 0: 9 bits, every adder wraps."""

    threshold: int = 1
    leak: int = 0
    floor: int = 0

    def tick(self) -> bool:
        v = wrapped(self.v - self.leak, 9)
        spike = v >= self.threshold
        self.v = 0 if spike or v < self.floor else v
        return spike

    def event(self, weight: int) -> bool:
        self.v = wrapped(self.v + weight, 9)
        return False
