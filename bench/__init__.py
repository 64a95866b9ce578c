"""What the product costs, measured beside peers in one run: ``make bench`` or ``python -m bench [NAME…]``.

Medians over repeated runs; ratios, because machines differ. Nothing here is a test.
"""
