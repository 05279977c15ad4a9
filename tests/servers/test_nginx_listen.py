#!/usr/bin/python3
"""nginx, and the program listening by itself on a TCP port."""

import sys

import server_test

sys.exit(server_test.main("nginx", "nginx", backend="listen-tcp"))
