"""Answers: the claim triage over HTTP and as plain pages. It decides nothing; every answer comes from the desk."""
