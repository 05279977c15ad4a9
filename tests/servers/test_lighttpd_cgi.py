#!/usr/bin/python3
"""lighttpd with mod_cgi: a process for each request."""

import sys

import server_test

sys.exit(server_test.main("lighttpd-cgi", "lighttpd"))
