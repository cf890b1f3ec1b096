"""What differs between the protocols that callers speak: fields, usage, errors, lists. One module per protocol."""
