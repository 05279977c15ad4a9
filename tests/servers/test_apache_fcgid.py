#!/usr/bin/python3
"""Apache with mod_fcgid, which starts the program."""

import sys

import server_test

sys.exit(server_test.main("apache-fcgid", "apache2", "/usr/lib/apache2/modules/mod_fcgid.so"))
