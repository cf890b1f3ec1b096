"""The gateway edge: raw ASGI from the caller's socket to the provider's and back, with admission and metering between.

No database, no web framework, no validation models: what is awaited here is a caller, the policy or a provider.
"""
