"""Measurements that the documentation quotes: `python -m bench.worker`, `python -m bench.extract`."""
