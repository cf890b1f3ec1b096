"""Implementations of the ports: everything that talks to the world outside the process, or pretends to."""
