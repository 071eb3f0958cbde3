"""What decides: reading, facts, exact verdicts, routing; and the store that keeps them."""
