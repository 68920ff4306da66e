"""The bound that signing sets: how many RSA-2048 signatures a second all cores make, with nothing else to do."""

from __future__ import annotations

import multiprocessing
import os
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def _sign(seconds: float) -> float:
    key, data, scheme, made = rsa.generate_private_key(65537, 2048), b"x" * 800, padding.PKCS1v15(), 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        for _ in range(50):
            key.sign(data, scheme, hashes.SHA256())
        made += 50
    return made / (time.perf_counter() - began)


def rsa_bound(seconds: float = 2.0) -> float:
    """Return the signatures a second of all cores at once."""
    cores = len(os.sched_getaffinity(0))
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        return sum(pool.map(_sign, [seconds] * cores))
