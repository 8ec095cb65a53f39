"""A company that does not exist, to try Merit on: Linden & Loom, table linen and kitchen goods.

Its clients are hotels, restaurants, cafés and private homes; nobody in it is real.
"""
