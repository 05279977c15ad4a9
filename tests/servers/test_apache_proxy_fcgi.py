#!/usr/bin/python3
"""Apache with mod_proxy_fcgi, and spawn-fcgi on a unix socket."""

import sys

import server_test

sys.exit(server_test.main("apache-proxy-fcgi", "apache2", "spawn-fcgi", backend="unix"))
