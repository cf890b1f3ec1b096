"""Every query, behind the protocols of `ports`. Rows go in and out as domain values."""
