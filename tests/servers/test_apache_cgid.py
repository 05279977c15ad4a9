#!/usr/bin/python3
"""Apache with mod_cgid: a process for each request."""

import sys

import server_test

sys.exit(server_test.main("apache-cgid", "apache2"))
