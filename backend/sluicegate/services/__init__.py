"""Use cases, one module per noun: authorise, check, change, write down."""
