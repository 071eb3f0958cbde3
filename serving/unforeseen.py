"""What is logged of an error that nobody foresaw, in a request or in a thread beside them."""

from __future__ import annotations

import logging

_log = logging.getLogger("claim_triage.serving")


def note(error: Exception) -> None:
    """Logs an error nobody foresaw. Kind and place only: a message or a local variable may hold a patient's words."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "?"
    _log.error("unforeseen %s at %s", type(error).__name__, place)
