"""`make bench`: what Zoetrope costs, measured. Nothing timed here is asserted in a test.

Every line on standard output is one JSON object: the benchmark, what was measured, and the machine and versions it was
measured on. Ratios are taken within one run, so that a busy machine spoils both sides alike.
"""
