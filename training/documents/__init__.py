"""Hospital papers in Chinese and English, written from a claim's story by a grammar and a phrasebook of their own."""

from training.documents.disease import disease_of, measured
from training.documents.masking import masked
from training.documents.required import RequiredPapers, required_papers
from training.documents.writing import papers_of, write

__all__ = ["RequiredPapers", "disease_of", "masked", "measured", "papers_of", "required_papers", "write"]
