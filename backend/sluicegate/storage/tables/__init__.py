"""One module per aggregate, and `every` for what goes through all of them.

The constant of a table is its name in capitals, without what only tells which part of the product it belongs to where
the rest says enough.
"""
