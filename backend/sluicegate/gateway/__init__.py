"""The edge that coding assistants call: raw ASGI, pass-through, metered. Knows policy and ports only."""
