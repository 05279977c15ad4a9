#!/usr/bin/python3
"""make bench: this program beside bare covdata on the same directories, and at running services, in one run.

    bench.py [CORPUS ... | live | load | footprint]    all of them where none is named

BENCH_ROUNDS is the number of rounds (5), BENCH_LOAD_SECONDS how long wrk makes each load (3), GOVERAGE_CORPORA where
the corpora are kept.  Nothing is asserted but that the answers are covdata's bytes: machines are noisy."""

import os
import sys

sys.dont_write_bytecode = True
for near in (".", "../lib", "../live"):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), near))

# pylint: disable=wrong-import-position
import corpus_bench
import footprint
import go_fixture
import live_bench
import load_bench
import tree

CHOICES = (*corpus_bench.NAMES, "live", "load", "footprint")


def main():
    names = sys.argv[1:] or CHOICES
    unknown = [name for name in names if name not in CHOICES]
    if unknown:
        sys.exit(f"bench.py: there is no {unknown[0]}; there are {', '.join(CHOICES)}")
    covdata = go_fixture.covdata()
    with tree.WorkDirectory() as work:
        for name in names:
            if name == "live":
                live_bench.run(work)
            elif name == "load":
                load_bench.run(work, covdata)
            elif name == "footprint":
                footprint.run(work)
            else:
                corpus_bench.run(name, work, covdata)
    return 0


if __name__ == "__main__":
    sys.exit(main())
