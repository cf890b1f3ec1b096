"""The gateway edge: raw ASGI from the caller's socket to the provider's and back, with admission and metering between.

No database, no web framework and no validation models in here; what is awaited is the caller, the policy service or a provider.
"""
