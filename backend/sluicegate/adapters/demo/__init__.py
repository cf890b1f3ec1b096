"""The `demo` provider: answers in process in the dialects of real ones, so that a fresh install works without a key.

`engine` decides what to answer, one module per dialect writes it to the wire, `upstream` makes it an `Upstream`.
No model is behind it, and no socket.
"""

from sluicegate.adapters.demo.upstream import DemoUpstream

__all__ = ["DemoUpstream"]
