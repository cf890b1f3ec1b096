"""Server-sent events on their way through: cut, read on the side, never rebuilt."""
