"""What is known: libraries, facts, rules and plans as data, the loader, the linter and the graph."""
