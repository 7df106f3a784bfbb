"""The rates and the verdict of a run before it: docs/spec/prediction.md."""
