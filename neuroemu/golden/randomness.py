"""Random words of docs/spec/rounding.md: Philox-2x32-10 and the Fibonacci shift register."""

from collections.abc import Callable, Mapping, Sequence

MULTIPLIER = 0xD256D193
WEYL = 0x9E3779B9
ROUNDS = 10
MASK = 0xFFFFFFFF


def philox_2x32(counter: tuple[int, int], key: int) -> tuple[int, int]:
    """Encrypt `counter` with `key`: Philox-2x32 with ten rounds.

    Parameters
    ----------
    counter : tuple of two ints
        Two 32-bit words; here (step, lane).
    key : int
        32-bit key.

    Returns
    -------
    tuple of two ints
        Two random 32-bit words; the specification uses the first.

    Raises
    ------
    ValueError
        If a word is not in 0 .. 2**32 - 1.

    Source: Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, SC11.
    """
    left, right = counter
    for word in (left, right, key):
        if not 0 <= word <= MASK:
            raise ValueError(f"{word} is not a 32-bit word")
    for turn in range(ROUNDS):
        product = MULTIPLIER * left
        round_key = (key + turn * WEYL) & MASK
        left, right = (product >> 32) ^ round_key ^ right, product & MASK
    return left, right


class FibonacciLfsr:
    """A Fibonacci linear feedback shift register, kept as a list of its bits.

    Parameters
    ----------
    width : int
        Bits of the register.
    taps : sequence of int
        1-based exponents of the feedback polynomial: tap t reads bit t - 1.
    state : int
        Initial state; never 0, which is its own successor.
    bits_per_draw : int
        Clocks of one draw.
    output_bits : int
        Low bits of the state that a draw returns.

    Raises
    ------
    ValueError
        If the state is 0 or too wide, a tap is not in the register, or the output does not fit.
    """

    def __init__(
        self, *, width: int, taps: Sequence[int], state: int, bits_per_draw: int, output_bits: int
    ) -> None:
        if not 0 < state < 2**width:
            raise ValueError(f"state {state} is not in 1..2**{width}-1")
        if not taps or len(set(taps)) < len(taps) or not all(1 <= tap <= width for tap in taps):
            raise ValueError(f"taps {tuple(taps)} are not distinct numbers in 1..{width}")
        if not 1 <= output_bits <= min(width, 32):
            raise ValueError(f"output_bits {output_bits} is not in 1..{min(width, 32)}")
        if bits_per_draw < 1:
            raise ValueError(f"bits_per_draw {bits_per_draw} is below 1")
        self._bits = [state // 2**place % 2 for place in range(width)]  # [0] is the lowest
        self._taps = tuple(taps)
        self._bits_per_draw = bits_per_draw
        self._output_bits = output_bits

    @property
    def state(self) -> int:
        """The register as a number."""
        return sum(bit * 2**place for place, bit in enumerate(self._bits))

    def clock(self) -> None:
        """Shift left by one bit; the parity of the tapped bits enters at bit 0."""
        parity = sum(self._bits[tap - 1] for tap in self._taps) % 2
        self._bits = [parity, *self._bits[:-1]]

    def draw(self) -> int:
        """Clock for one draw and return the output bits at the top of a 32-bit word."""
        for _ in range(self._bits_per_draw):
            self.clock()
        output = self.state % (1 << self._output_bits)
        return output << (32 - self._output_bits)


def counter_words(keys: Mapping[str, int]) -> Callable[[str, int, int], int]:
    """Words for `neuroemu.golden.trial.run` by Philox: counter (step, lane), one key per site.

    Parameters
    ----------
    keys : mapping of str to int
        32-bit key of each site that draws.
    """

    def words(site: str, lane: int, step: int) -> int:
        return philox_2x32((step, lane), keys[site])[0]

    return words


def register_words(
    registers: Mapping[tuple[str, int], FibonacciLfsr],
) -> Callable[[str, int, int], int]:
    """Words for `neuroemu.golden.trial.run` by shift registers, one per (site, lane).

    A register is clocked when its lane draws and never else.
    """

    def words(site: str, lane: int, _step: int) -> int:
        return registers[site, lane].draw()

    return words
