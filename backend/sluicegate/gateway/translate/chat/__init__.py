"""OpenAI's Chat Completions to and from the neutral form."""

from sluicegate.gateway.translate.chat.answers import read_answer, write_answer
from sluicegate.gateway.translate.chat.reading import read_request
from sluicegate.gateway.translate.chat.streams import ChatReader, ChatWriter
from sluicegate.gateway.translate.chat.writing import write_request

__all__ = ["ChatReader", "ChatWriter", "read_answer", "read_request", "write_answer", "write_request"]
