#!/usr/bin/python3
"""lighttpd with mod_fastcgi, and the program listening by itself on a unix socket."""

import sys

import server_test

sys.exit(server_test.main("lighttpd-spawn-fcgi", "lighttpd", backend="listen-unix"))
