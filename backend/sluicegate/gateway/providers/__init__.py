"""How a call reaches each kind of provider: addresses, credentials, framing."""
