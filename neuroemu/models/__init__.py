"""The dynamics, each written once as scalar pure functions, and the way from physics to registers."""
