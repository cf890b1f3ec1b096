"""`python -m sluicegate` is the command `sluicegate`."""

from __future__ import annotations

from sluicegate.cli import main

if __name__ == "__main__":
    main()
