"""The command `sluicegate`."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module

from sluicegate.cli import first as first
from sluicegate.cli import unused as unused
from sluicegate.cli.serving import serve, worker
from sluicegate.kit.errors import AppError
from sluicegate.premises import AlreadyServed, SchemaError
from sluicegate.settings import ConfigurationError

_SERVING = {"serve": serve, "worker": worker}


def main() -> None:
    """Runs the command line; expected faults end with a sentence and status 2, not with a trace."""
    # Databases, journals and keys are for nobody else on this machine.
    os.umask(0o077)
    command, words = sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:]
    try:
        if command in _SERVING:
            _SERVING[command](words)
        else:
            # Servers keep what they load.
            import_module("sluicegate.cli.commands").app()
    except ConfigurationError as error:
        sys.exit(_say("The settings cannot be taken:", *error.faults))
    except AppError as error:
        sys.exit(_say(f"{error.field}: {error.message}" if error.field else error.message))
    except (AlreadyServed, SchemaError, OSError) as error:
        sys.exit(_say(str(error)))
    except KeyboardInterrupt:
        # The status that a shell tells.
        sys.exit(128 + signal.SIGINT)


def _say(*lines: str) -> int:
    for line in lines:
        print(line, file=sys.stderr)
    return 2
