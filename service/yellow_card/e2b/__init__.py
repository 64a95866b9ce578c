"""ICH E2B(R3): individual case safety reports about medicines, written, read and checked. Pure.

``elements`` is the table, ``skeleton`` the message's shape, ``writer`` and ``reader`` walk it, ``rules`` says
what is wrong with a batch, ``from_report`` fills one from safety reports, ``acknowledgement`` reads answers.
"""
