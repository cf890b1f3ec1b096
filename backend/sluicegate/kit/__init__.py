"""Small tools that know nothing of the product: clock, ids, money, errors, cursors, secrets, cryptography."""
