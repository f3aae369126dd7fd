"""This project and its peers side by side: `python -m benchmarks.run`; docs/benchmarks.md explains."""
