"""The outside world behind the ports: counters, feeds, providers, journal, vault."""
