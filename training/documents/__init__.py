"""Hospital papers in Chinese and English, written from a claim's story by a grammar and a phrasebook of their own."""
