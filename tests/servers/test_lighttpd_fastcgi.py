#!/usr/bin/python3
"""lighttpd with mod_fastcgi, which starts the program."""

import sys

import server_test

sys.exit(server_test.main("lighttpd-fastcgi", "lighttpd"))
