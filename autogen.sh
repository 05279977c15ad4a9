#!/bin/sh
# Generates ./configure from a git checkout.  Needs autoconf, automake and pkg-config.
cd "$(dirname "$0")" && exec autoreconf --install --force --warnings=all "$@"
