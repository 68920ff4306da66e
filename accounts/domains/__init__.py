"""Sending domains: their keys, the records they need in DNS, and whether these are there."""
