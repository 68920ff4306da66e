"""An explicit-state model checker of the delivery protocol in docs/ledger.md.

It walks every interleaving of workers, receiver, replayer, sweeper, tick, people and faults within
stated bounds, breadth first, and checks after each step that nobody was lost and nobody mailed
twice. A step is one committed SQL statement, one journal write, or one flight of bytes. States that
differ only in the numbering of workers or messages count once.

    python -m tests.ledger.model             all scenarios of the short form
    python -m tests.ledger.model --deep      wider bounds
    python -m tests.ledger.model --mutants   protocols broken on purpose: each must be caught

What is not a step here is argued in docs/ledger.md: SQL isolation (`test_races.py` runs it), clocks
(a deadline is a step "time passes"), and bytes on the network (a dot on the wire may arrive, or not,
until the sweeper's patience of 15 minutes is over).
"""
