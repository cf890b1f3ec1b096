"""The command `sluicegate`."""

from __future__ import annotations

import sys

from sluicegate.cli.commands import app
from sluicegate.container import SchemaError
from sluicegate.kit.errors import AppError
from sluicegate.settings import ConfigurationError


def main() -> None:
    """Runs the command line; expected faults end with a sentence and status 2, not with a trace."""
    try:
        app()
    except ConfigurationError as error:
        sys.exit(_say("The settings cannot be taken:", *error.faults))
    except (AppError, SchemaError, OSError) as error:
        sys.exit(_say(str(error)))


def _say(*lines: str) -> int:
    for line in lines:
        print(line, file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
