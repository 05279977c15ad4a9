#!/usr/bin/python3
"""caddy, and spawn-fcgi on a TCP port."""

import sys

import server_test

sys.exit(server_test.main("caddy", "caddy", "spawn-fcgi", backend="tcp"))
