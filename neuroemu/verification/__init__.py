"""Laws that a target's arithmetic must keep, tried on it: `verify`; counterexamples, and their replay."""

from __future__ import annotations

from neuroemu.verification.certificate import Certificate, Result, verify
from neuroemu.verification.law import Law, Outcome
from neuroemu.verification.laws import LAWS

__all__ = ["LAWS", "Certificate", "Law", "Outcome", "Result", "verify"]
