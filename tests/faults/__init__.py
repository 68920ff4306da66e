"""The fault harness: real processes, a real PostgreSQL that keeps its promises, and somebody who kills, freezes and cuts them off.

`make test` runs the short form, `make faults` the long one. Every scenario ends with the same questions, in `checker.py`.
"""
