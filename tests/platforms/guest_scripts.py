"""What the scripts in the virtual machines have in common: a service that works, and polls of it."""

POLL = """#!/bin/sh
# A poll as a web server asks for it; further settings are its arguments.
exec env -i PATH=/bin GATEWAY_INTERFACE=CGI/1.1 SERVER_PROTOCOL=HTTP/1.1 REQUEST_METHOD=GET SCRIPT_NAME=/v1/cover \\
	PATH_INFO=/profile QUERY_STRING= REQUEST_URI=/v1/cover/profile GOCOVERDIR=/tmp/coverage GOVERAGE_ENGINE=builtin \\
	GOVERAGE_LIVE=required "$@" /bin/goverage.cgi
"""

FUNCTIONS = """
cat >/bin/poll <<'END_OF_POLL'
""" + POLL + """END_OF_POLL
chmod 755 /bin/poll
coverage=/tmp/coverage

# start PROGRAM: the service, as an ordinary user, in an empty directory.
start() {
	rm -rf $coverage /tmp/in /tmp/out
	mkdir -m 777 $coverage
	mkfifo -m 666 /tmp/in
	su service -c "cd /; GOCOVERDIR=$coverage exec $1 </tmp/in" >/tmp/out &
	exec 3>/tmp/in
	lines=1
	heard
}

# heard: waits until the service has answered so often.
heard() {
	while [ "$(wc -l </tmp/out)" -lt $lines ]; do
		usleep 20000
	done
}

say() {
	echo "$1" >&3
	lines=$((lines + 1))
	heard
}

# end: the service returns from main, and writes its counters.
end() {
	exec 3>&-
	wait
}

# poll_as USER [SETTING]: the answer is in /tmp/answer, its body in /tmp/body.
poll_as() {
	su $1 -c "poll $2" >/tmp/answer 2>/tmp/log
	tr -d '\\r' </tmp/answer | sed '1,/^$/d' >/tmp/body
}

is_read() {
	grep -i '^goverage-live: read=1 denied=0 gone=0 unsupported=0' /tmp/answer && return
	cat /tmp/answer /tmp/log
	return 1
}

# is_denied WORDS: an error that gives this reason.
is_denied() {
	grep -i '^status: 500' /tmp/answer && grep -F "$1" /tmp/body && return
	cat /tmp/answer /tmp/log
	return 1
}
"""
