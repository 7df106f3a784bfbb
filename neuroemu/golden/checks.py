"""What registers against the page are refused with."""

from neuroemu.golden.narrow import Narrowing


def require(condition: bool, message: str) -> None:
    """Raise a ValueError with `message` unless `condition` holds."""
    if not condition:
        raise ValueError(message)


def require_shift_0(site: Narrowing, name: str) -> None:
    """Refuse a site that drops bits where the page has it drop none."""
    require(site.shift == 0, f"the site {name} drops no bits, but its shift is {site.shift}")


def require_unit(unit: int, site: Narrowing, name: str) -> None:
    """Refuse a 1 that is not 1 in the scale of its site."""
    require(
        unit == 2**site.shift,
        f"unit {unit} at the site {name} is not 1 in the scale of its shift {site.shift}",
    )
