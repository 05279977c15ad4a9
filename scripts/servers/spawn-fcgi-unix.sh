#!/bin/sh
# Start goverage.fcgi on a unix socket, in the foreground: for caddy, nginx, Apache's mod_proxy_fcgi and
# lighttpd as its clients.  Its settings are those of the environment: GOCOVERDIR, PATH (where covdata, or
# else go, is found), GOVERAGE_...  spawn-fcgi watches over nothing: have a supervisor start this again.

program=${GOVERAGE_PROGRAM:-/usr/local/lib/cgi-bin/goverage.fcgi}
socket=${GOVERAGE_SOCKET:-/run/goverage/goverage.sock}
web_user=${GOVERAGE_USER-www-data} # who may connect; only root can give the socket away

# Root hands the socket to the web server and stays the owner of the process; add "-u USER" for another
# one, which must be able to read GOCOVERDIR.
if [ "$(id -u)" = 0 ] && [ -n "$web_user" ]; then
	set -- -U "$web_user"
else
	set --
fi
# -n: no fork, and the log stays where fd 2 leads; without it the log is lost.
exec spawn-fcgi -n -s "$socket" -M 0660 "$@" -- "$program"
