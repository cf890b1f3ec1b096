"""Provisioning by an identity provider."""
