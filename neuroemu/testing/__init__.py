"""Tools for property-based tests of a chip, an experiment, or a model of your own."""
