"""Traces by OpenTelemetry. Imported only by servers that send some: the libraries are an extra of the package."""

from sluicegate.adapters.tracing.calls import FollowedCalls as FollowedCalls
from sluicegate.adapters.tracing.spans import Spans as Spans
