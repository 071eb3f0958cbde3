"""Benchmarks: `make bench`. They pass or fail by ratios within one run; milliseconds are printed as information."""
