"""Reading a paper's text into observations with span, section and assertion. Text is data: nothing in it changes a rule or a route."""

from triage.reading.reader import Reader

__all__ = ["Reader"]
