"""The whole knowledge graph: loading time and memory in a fresh process, and each named query."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from knowledge_graph.graph import build
from knowledge_graph.loader import load
from knowledge_graph.queries import QUERIES, ask
from tests.test_queries import TYPICAL

SECONDS, MEGABYTES, P99_MS, CALLS = 2.0, 400.0, 20.0, 200
FRESH = """
import json, resource, time
started = time.perf_counter()
from knowledge_graph.graph import build
from knowledge_graph.loader import load
graph = build(load())
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([time.perf_counter() - started, peak, len(graph), graph.number_of_edges()]))
"""


def main() -> int:
    """Prints the figures; 1 when a limit is passed."""
    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, check=True)
    seconds, memory, nodes, edges = json.loads(done.stdout)
    print(f"graph        {nodes} nodes, {edges} edges in {seconds:.2f} s (limit {SECONDS:g}), {memory:.0f} MB (limit {MEGABYTES:g})")
    knowledge = load()
    build(knowledge)
    slow = 0
    for name in QUERIES:
        ask(knowledge, name, TYPICAL[name])
        taken = []
        for _ in range(CALLS):
            start = time.perf_counter_ns()
            ask(knowledge, name, TYPICAL[name])
            taken.append((time.perf_counter_ns() - start) / 1e6)
        p99 = sorted(taken)[int(CALLS * 0.99) - 1]
        print(f"  {name:<14} p99 {p99:6.2f} ms, {p99 / P99_MS:.2f} of its limit")
        slow += p99 >= P99_MS
    return 1 if slow or seconds >= SECONDS or memory >= MEGABYTES else 0


if __name__ == "__main__":
    sys.exit(main())
