"""Hospital papers in Chinese and English, written from a claim's story by a grammar and a phrasebook of their own."""

from training.documents.disease import measured
from training.documents.masking import masked
from training.documents.writing import papers_of, write

__all__ = ["masked", "measured", "papers_of", "write"]
