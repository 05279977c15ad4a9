#!/bin/sh
# Start goverage.fcgi on a TCP port of the loopback address, in the foreground: for caddy, nginx, Apache's
# mod_proxy_fcgi and lighttpd as its clients.  Every account of this machine can connect to it: prefer
# spawn-fcgi-unix.sh where that matters.  Its settings are those of the environment: GOCOVERDIR, PATH
# (where covdata, or else go, is found), GOVERAGE_...  spawn-fcgi watches over nothing: have a supervisor
# start this again.

program=${GOVERAGE_PROGRAM:-/usr/local/lib/cgi-bin/goverage.fcgi}
port=${GOVERAGE_FCGI_PORT:-9000}

# -a: without it spawn-fcgi listens on all addresses.  -n: no fork, and the log stays where fd 2 leads;
# without it the log is lost.
exec spawn-fcgi -n -a 127.0.0.1 -p "$port" -- "$program"
