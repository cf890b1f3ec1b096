"""Protocols through which services, policy and gateway reach the outside; adapters and storage implement them."""
