#!/usr/bin/python3
"""Asks a real Go what random patterns match, and compares: see patterns.go, which prints the TAP.

GOVERAGE_PATTERN_SEED and GOVERAGE_PATTERN_SCALE choose other and more patterns (seed 1, once as many)."""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("abs_top_srcdir") or os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("abs_top_builddir") or SOURCE
RELEASE = "1.23"  # whose syntax and whose Unicode tables are the measure


def go_command():
    found = subprocess.run([os.path.join(SOURCE, "scripts", "go-toolchain"), RELEASE],
                           stdout=subprocess.PIPE, check=True, text=True)
    return found.stdout.strip()


def build(go, work):
    program = os.path.join(work, "patterns")
    sources = [os.path.join(HERE, name) for name in sorted(os.listdir(HERE)) if name.endswith(".go")]
    environment = dict(os.environ, GOFLAGS="-mod=mod", GOPROXY="off", GOTOOLCHAIN="local",
                       GOCACHE=os.environ.get("GOCACHE") or os.path.join(BUILD, "tests", "fixtures", "gocache"))
    subprocess.run([go, "build", "-o", program] + sources, check=True, env=environment, cwd=work)
    return program


def main():
    seed = os.environ.get("GOVERAGE_PATTERN_SEED", "1")
    scale = os.environ.get("GOVERAGE_PATTERN_SCALE", "1")
    verdicts = os.path.join(BUILD, "tests", "differential", "pattern_verdicts")
    with tempfile.TemporaryDirectory(prefix="goverage-patterns-") as work:
        program = build(go_command(), work)
        sys.stdout.flush()
        return subprocess.run([program, "-seed", seed, "-scale", scale, verdicts]).returncode


sys.exit(main())
