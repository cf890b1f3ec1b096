"""OpenAI's Responses to and from the neutral form. Nothing is kept between calls."""

from sluicegate.gateway.translate.responses.answers import read_answer, write_answer
from sluicegate.gateway.translate.responses.reading import read_request
from sluicegate.gateway.translate.responses.streams import ResponsesReader, ResponsesWriter
from sluicegate.gateway.translate.responses.writing import write_request

__all__ = ["ResponsesReader", "ResponsesWriter", "read_answer", "read_request", "write_answer", "write_request"]
