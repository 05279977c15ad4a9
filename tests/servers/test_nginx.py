#!/usr/bin/python3
"""nginx, and spawn-fcgi on a unix socket."""

import sys

import server_test

sys.exit(server_test.main("nginx", "nginx", "spawn-fcgi", backend="unix"))
