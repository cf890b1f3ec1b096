"""Rules that look for secrets in what callers send."""
