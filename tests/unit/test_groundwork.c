/* buffer, error, escape, percent, string_list, utf8, deadline, io: what everything else stands on. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgi/base/buffer.h"
#include "cgi/base/deadline.h"
#include "cgi/base/error.h"
#include "cgi/base/escape.h"
#include "cgi/base/io.h"
#include "cgi/base/percent.h"
#include "cgi/base/string_list.h"
#include "cgi/base/utf8.h"

static void buffer_grows_and_keeps_a_nul(void **state)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;
	int i;

	(void)state;
	assert_string_equal(buffer_str(&b), "");
	for (i = 0; i < 1000; i++)
		buffer_printf(&b, "%d,", i);
	assert_false(b.failed);
	assert_int_equal(b.len, strlen(b.data));
	assert_memory_equal(b.data + b.len - 4, "999,", 5);
}

static void buffer_stops_at_its_limit(void **state)
{
	cleanup_buffer struct buffer b = {.max = 10};

	(void)state;
	buffer_puts(&b, "123456789");
	buffer_puts(&b, "xx");
	assert_true(b.failed);
	buffer_puts(&b, "y");
	assert_string_equal(buffer_str(&b), "123456789");
	buffer_reset(&b);
	buffer_puts(&b, "1234567890");
	assert_false(b.failed);
}

static void errors_carry_class_and_sentence(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(error_set(&err, ERROR_BAD_REQUEST, "no %s", "name"), -1);
	assert_int_equal(error_prefix(&err, "reading %d", 7), -1);
	assert_string_equal(err.message, "reading 7: no name");
	assert_int_equal(error_status(err.class), 400);
	error_errno(&err, ERROR_INTERNAL, ENOENT, "opening x");
	assert_string_equal(err.message, "opening x: No such file or directory");
	assert_int_equal(error_status(err.class), 500);
	error_errno(&err, ERROR_INTERNAL, EMFILE, "opening x");
	assert_int_equal(error_status(err.class), 503);
	assert_int_equal(error_set(NULL, ERROR_INTERNAL, "nobody asks"), -1);
}

static void errors_longer_than_their_room_are_cut(void **state)
{
	struct error err = {0};
	char text[4096];

	(void)state;
	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = '\0';
	error_errno(&err, ERROR_INTERNAL, EACCES, "%s", text);
	error_prefix(&err, "%s", text);
	assert_int_equal(strlen(err.message), ERROR_MESSAGE_MAX - 1);
}

static void escaping_makes_valid_json(void **state)
{
	cleanup_buffer struct buffer b = BUFFER_INIT;
	static const char text[] = "a\"b\\c\n\x01\xff\xc3\xa9\x7f";

	(void)state;
	escape_json(&b, text, sizeof text - 1);
	assert_string_equal(b.data, "\"a\\\"b\\\\c\\n\\u0001\xef\xbf\xbd\xc3\xa9\\u007f\"");
	buffer_reset(&b);
	escape_plain(&b, "a\r\nb\xff", 5);
	assert_string_equal(b.data, "a  b\xef\xbf\xbd");
}

static void percent_decoding(void **state)
{
	static const char *const bad[] = {"%", "%4", "%zz", "a%4g"};
	cleanup_buffer struct buffer b = BUFFER_INIT;
	size_t i;

	(void)state;
	assert_int_equal(percent_decode(&b, "a%2Fb+%2b%C3%A9", 15, true), 0);
	assert_string_equal(b.data, "a/b +\xc3\xa9");
	buffer_reset(&b);
	assert_int_equal(percent_decode(&b, "+%00", 4, false), 0);
	assert_int_equal(b.len, 2);
	assert_memory_equal(b.data, "+", 2);
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(percent_decode(&b, bad[i], strlen(bad[i]), true), -1);
}

static void string_lists_hold_any_byte(void **state)
{
	cleanup_string_list struct string_list list = STRING_LIST_INIT;
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		assert_int_equal(string_list_add(&list, "a\0b", 3), 0);
	assert_int_equal(string_list_add(&list, "", 0), 0);
	assert_int_equal(list.n, 101);
	assert_true(string_list_has(&list, "a\0b", 3));
	assert_true(string_list_has(&list, "", 0));
	assert_false(string_list_has(&list, "a\0c", 3));
}

static void utf8_is_strict(void **state)
{
	static const struct {
		const char *bytes;
		size_t len; /* expected; 0 = invalid */
		uint32_t c;
	} cases[] = {
	    {"a", 1, 'a'},
	    {"\xc3\xa9", 2, 0xe9},
	    {"\xe2\x82\xac", 3, 0x20ac},
	    {"\xf0\x9f\x98\x80", 4, 0x1f600},
	    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
	    {"\x80", 0, 0},
	    {"\xc0\x80", 0, 0},
	    {"\xc1\xbf", 0, 0},
	    {"\xe0\x80\x80", 0, 0},
	    {"\xed\xa0\x80", 0, 0}, /* a surrogate */
	    {"\xf4\x90\x80\x80", 0, 0},
	    {"\xf5\x80\x80\x80", 0, 0},
	    {"\xe2\x82", 0, 0},
	    {"\xc3x", 0, 0},
	};
	char out[4];
	uint32_t c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t n = strlen(cases[i].bytes);

		assert_int_equal(utf8_decode(cases[i].bytes, n, &c), cases[i].len);
		if (!cases[i].len)
			continue;
		assert_int_equal(c, cases[i].c);
		assert_int_equal(utf8_encode(c, out), cases[i].len);
		assert_memory_equal(out, cases[i].bytes, cases[i].len);
	}
	assert_true(utf8_valid("a\xc3\xa9", 3));
	assert_false(utf8_valid("a\xc3", 2));
}

static void deadlines_pass_and_are_cancelled(void **state)
{
	struct deadline passed = deadline_in_ms(-1, -1), later;
	int ends[2];

	(void)state;
	assert_int_equal(deadline_left_ms(&passed), 0);
	assert_int_equal(deadline_wait(&passed, -1, 0), DEADLINE_PASSED);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	later = deadline_in_ms(60000, -1);
	assert_int_equal(deadline_wait(&later, ends[0], POLLIN), DEADLINE_READY);
	later.cancel_fd = ends[0];
	assert_int_equal(deadline_wait(&later, -1, 0), DEADLINE_CANCELLED);
	close(ends[0]);
	close(ends[1]);
}

static void strangers_become_close_on_exec(void **state)
{
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	assert_true(fd > 2);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	io_cloexec_from(3);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
}

static void null_is_empty_and_keeps_nothing(void **state)
{
	cleanup_fd int null = io_open_null(), fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	cleanup_fd int memory = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char byte;

	(void)state;
	assert_int_equal(fcntl(null, F_GETFD), FD_CLOEXEC);
	assert_int_equal(read(null, &byte, 1), 0);
	assert_true(io_leads_nowhere(null));
	assert_true(io_leads_nowhere(1 << 20));
	assert_false(io_leads_nowhere(fd));
	assert_false(io_leads_nowhere(memory));
	assert_int_equal(fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE), 0);
	assert_true(io_leads_nowhere(memory));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buffer_grows_and_keeps_a_nul),
	    cmocka_unit_test(buffer_stops_at_its_limit),
	    cmocka_unit_test(errors_carry_class_and_sentence),
	    cmocka_unit_test(errors_longer_than_their_room_are_cut),
	    cmocka_unit_test(escaping_makes_valid_json),
	    cmocka_unit_test(percent_decoding),
	    cmocka_unit_test(string_lists_hold_any_byte),
	    cmocka_unit_test(utf8_is_strict),
	    cmocka_unit_test(deadlines_pass_and_are_cancelled),
	    cmocka_unit_test(strangers_become_close_on_exec),
	    cmocka_unit_test(null_is_empty_and_keeps_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
