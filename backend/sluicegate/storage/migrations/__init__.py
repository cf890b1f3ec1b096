"""How the schema came to be: one dated version per change, run by `storage.migrate` alone."""
