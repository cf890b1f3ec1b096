"""Between protocols: requests, answers, streams, tools, usage and errors, by way of one neutral form.

Pure: no I/O, no policy, no routing. `docs/translation.md` has the table of what is carried over, dropped or refused.
"""

from sluicegate.gateway.translate.translator import StreamTranslator, Translator

__all__ = ["StreamTranslator", "Translator"]
