"""Vocabularies of the reader, one file a language."""
