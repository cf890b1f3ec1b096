"""Provisioning by SCIM 2.0: what an identity provider asks for, done to people and groups."""
