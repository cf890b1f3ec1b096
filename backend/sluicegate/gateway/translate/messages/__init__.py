"""Anthropic's Messages to and from the neutral form."""

from sluicegate.gateway.translate.messages.answers import read_answer, write_answer
from sluicegate.gateway.translate.messages.reading import read_request
from sluicegate.gateway.translate.messages.streams import MessagesReader, MessagesWriter
from sluicegate.gateway.translate.messages.writing import write_request

__all__ = ["MessagesReader", "MessagesWriter", "read_answer", "read_request", "write_answer", "write_request"]
