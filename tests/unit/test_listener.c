/* Addresses of --listen, sockets that are in the way, and telling a listening socket from the
 * rest. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi/server/listener.h"

static char dir[] = "/tmp/goverage-test-XXXXXX";

static void bad_addresses_are_refused(void **state)
{
	static const char *const bad[] = {"",
					  "9000",
					  ":9000",
					  "127.0.0.1:",
					  "localhost:9000",
					  "127.0.0.1:0",
					  "127.0.0.1:65536",
					  "127.0.0.1:80a",
					  "127.0.0.1:-1",
					  "[::1]",
					  "[::1:9000",
					  "::1:9000",
					  "unix:"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		cleanup_listener struct listener listener = LISTENER_INIT;
		struct error err = {0};

		assert_int_equal(listener_open(&listener, bad[i], 0600, &err), -1);
		assert_non_null(strstr(err.message, "--listen"));
		assert_int_equal(listener.fd, -1);
	}
}

static void unix_sockets_come_and_go(void **state)
{
	struct listener listener = LISTENER_INIT, second = LISTENER_INIT;
	struct error err = {0};
	char address[64];
	struct stat st;

	(void)state;
	snprintf(address, sizeof address, "unix:%s/s", dir);
	assert_int_equal(listener_open(&listener, address, 0640, &err), 0);
	assert_true(listener_is_listening(listener.fd));
	assert_int_equal(fcntl(listener.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(stat(address + 5, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	/* in use */
	assert_int_equal(listener_open(&second, address, 0640, &err), -1);
	assert_non_null(strstr(err.message, "in use"));
	/* left behind by a killed process */
	close(listener.fd);
	assert_int_equal(listener_open(&second, address, 0600, &err), 0);
	listener_close(&second);
	assert_int_equal(stat(address + 5, &st), -1);
	free(listener.unix_path);
}

/* Somebody has removed the socket's file and started another responder in our place. */
static void the_socket_of_a_successor_stays(void **state)
{
	struct listener listener = LISTENER_INIT, successor = LISTENER_INIT;
	struct error err = {0};
	char address[64];
	struct stat st;

	(void)state;
	snprintf(address, sizeof address, "unix:%s/s", dir);
	assert_int_equal(listener_open(&listener, address, 0600, &err), 0);
	assert_int_equal(unlink(address + 5), 0);
	assert_int_equal(listener_open(&successor, address, 0600, &err), 0);
	listener_close(&listener);
	assert_int_equal(stat(address + 5, &st), 0);
	listener_close(&successor);
	assert_int_equal(stat(address + 5, &st), -1);
}

static void other_files_are_left_alone(void **state)
{
	cleanup_listener struct listener listener = LISTENER_INIT;
	struct error err = {0};
	char address[64];
	int fd;

	(void)state;
	snprintf(address, sizeof address, "unix:%s/f", dir);
	fd = open(address + 5, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(listener_open(&listener, address, 0600, &err), -1);
	assert_non_null(strstr(err.message, "no socket"));
	assert_int_equal(unlink(address + 5), 0);
}

static void only_a_listening_socket_is_fastcgi(void **state)
{
	int pair[2], ends[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int unbound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_false(listener_is_listening(pair[0]));
	assert_false(listener_is_listening(ends[0]));
	assert_false(listener_is_listening(null));
	assert_false(listener_is_listening(unbound));
	assert_false(listener_is_listening(-1));
	close(pair[1]);
	assert_false(listener_is_listening(pair[0]));
	close(pair[0]);
	close(ends[0]);
	close(ends[1]);
	close(null);
	close(unbound);
}

static int prepare(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int clean(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bad_addresses_are_refused),
	    cmocka_unit_test(unix_sockets_come_and_go),
	    cmocka_unit_test(the_socket_of_a_successor_stays),
	    cmocka_unit_test(other_files_are_left_alone),
	    cmocka_unit_test(only_a_listening_socket_is_fastcgi),
	};

	return cmocka_run_group_tests(tests, prepare, clean);
}
