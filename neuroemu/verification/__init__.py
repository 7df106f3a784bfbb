"""Laws that a target's arithmetic keeps or breaks, proved or sampled: docs/spec/laws.md."""
