/* What covdata says: for people, and about the file that it stumbled over. */
#include "unit.h"

#include <stdio.h>

#include "cgi/base/utf8.h"
#include "cgi/covdata/covdata_words.h"

#define STAGE "/dev/shm/goverage-fcgi-0-abcdef"

static void expect_words(const char *said, const char *expected)
{
	char words[COVDATA_LAST_WORDS];

	covdata_last_words(said, strlen(said), words, sizeof words);
	assert_string_equal(words, expected);
}

static void last_words_are_one_line(void **state)
{
	(void)state;
	expect_words("", "nothing on stderr");
	expect_words(" \n\n", "nothing on stderr");
	expect_words("error: error: decoding meta-file F: EOF\n\n", "decoding meta-file F: EOF");
	expect_words("warning: one\nerror: two\n", "warning: one error: two");
	expect_words("a\t\r\n \x01 b\x7f", "a b ");
	expect_words("bad \xff\xfe byte, good \xc3\xa9", "bad ?? byte, good \xc3\xa9");
	expect_words("error: ", "error:");
}

static void cause_of_a_crash_is_found(void **state)
{
	(void)state;
	expect_words(
	    "warning: x\npanic: index out of range [7]\n\ngoroutine 1 [running]:\nmain.f()\n",
	    "panic: index out of range [7] goroutine 1 [running]: main.f()");
	expect_words("unexpected fault address 0x7f00\nfatal error: fault\n[signal SIGBUS]\n",
		     "unexpected fault address 0x7f00 fatal error: fault [signal SIGBUS]");
	expect_words("not at the start: panic: x", "not at the start: panic: x");
}

static void long_words_are_cut_at_characters(void **state)
{
	char said[4 * COVDATA_LAST_WORDS + 1], words[64];
	size_t i, shift;

	(void)state;
	for (shift = 0; shift < 4; shift++) {
		memset(said, 'x', sizeof said);
		for (i = shift; i + 3 <= sizeof said - 1; i += 3)
			memcpy(said + i, "\xe2\x82\xac", 3);
		said[sizeof said - 1] = '\0';
		covdata_last_words(said, sizeof said - 1, words, sizeof words);
		assert_true(utf8_valid(words, strlen(words)));
		assert_in_range(strlen(words), 56, sizeof words - 1);
		/* of a crash, the beginning */
		memcpy(said, "panic: ", 7);
		covdata_last_words(said, sizeof said - 1, words, sizeof words);
		assert_memory_equal(words, "panic: ", 7);
		assert_true(utf8_valid(words, strlen(words)));
	}
}

static void staged_paths_become_real(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
	    {"open " STAGE "/0/covmeta.x: no", "open /cov/a/covmeta.x: no"},
	    {STAGE "/1/x " STAGE "/0: " STAGE "/1", "/cov b/x /cov/a: /cov b"},
	    {STAGE "/extra/covmeta.x", "extra/covmeta.x"},
	    {STAGE "/2/x", "2/x"},
	    {STAGE "/01x/x", "01x/x"},
	    {STAGE "/99999999999999999999/x", "99999999999999999999/x"},
	    {STAGE " " STAGE "x/0/y", STAGE " " STAGE "x/0/y"},
	    {STAGE "/", ""},
	    {STAGE, STAGE},
	    {"", ""},
	};
	cleanup_string_list struct string_list dirs = STRING_LIST_INIT;
	size_t i;

	(void)state;
	assert_int_equal(string_list_add(&dirs, "/cov/a", 6), 0);
	assert_int_equal(string_list_add(&dirs, "/cov b", 6), 0);
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_buffer struct buffer out = BUFFER_INIT;

		covdata_unstage(cases[i].text, strlen(cases[i].text), STAGE, &dirs, &out);
		assert_string_equal(buffer_str(&out), cases[i].expected);
	}
}

static void files_are_recognised(void **state)
{
	static const struct {
		const char *said, *subdir, *name, *reason;
	} cases[] = {
	    {"error: error: unable to open meta-file " STAGE "/0/covmeta.ab\n\n", "0", "covmeta.ab",
	     "can't be opened"},
	    {"error: error: decoding meta-file " STAGE "/12/covmeta.ab: unexpected EOF\n\n", "12",
	     "covmeta.ab", "unexpected EOF"},
	    {"error: reading pkg 3 from meta-file " STAGE "/0/covmeta.ab: unexpected EOF\n", "0",
	     "covmeta.ab", "unexpected EOF"},
	    {"error: error: reading counter data file " STAGE
	     "/1/covcounters.a:b.1.2: version data incompatibility: reader is 1 data is 2\n\n",
	     "1", "covcounters.a:b.1.2", "version data incompatibility: reader is 1 data is 2"},
	    {"error: error: opening counter data file " STAGE
	     "/extra/covcounters.a.1.2: open " STAGE
	     "/extra/covcounters.a.1.2: permission denied\n\n",
	     "extra", "covcounters.a.1.2",
	     "open " STAGE "/extra/covcounters.a.1.2: permission denied"},
	    {"warning: something about " STAGE "/0/covmeta.x: y\nerror: error: decoding "
	     "meta-file " STAGE "/0/covmeta.z: EOF\n\n",
	     "0", "covmeta.z", "EOF"},
	};
	struct covdata_complaint complaint;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		covdata_complaint_parse(cases[i].said, strlen(cases[i].said), STAGE, &complaint);
		assert_int_equal(complaint.fault, COVDATA_FAULT_FILE);
		assert_string_equal(complaint.subdir, cases[i].subdir);
		assert_string_equal(complaint.name, cases[i].name);
		assert_string_equal(complaint.reason, cases[i].reason);
	}
}

static void expect_fault(const char *said, enum covdata_fault fault)
{
	struct covdata_complaint complaint;

	covdata_complaint_parse(said, strlen(said), STAGE, &complaint);
	assert_int_equal(complaint.fault, fault);
}

static void conflicts_are_no_bad_files(void **state)
{
	(void)state;
	expect_fault("error: counter mode clash while reading meta-data file " STAGE
		     "/0/covmeta.x: previous file had set, new file has count\n",
		     COVDATA_FAULT_CONFLICT);
	expect_fault("error: counter granularity clash while reading meta-data file " STAGE
		     "/0/covmeta.x: previous file had perblock, new file has perfunc\n",
		     COVDATA_FAULT_CONFLICT);
	expect_fault("error: merging counters: len(dst)=4 len(src)=3\n", COVDATA_FAULT_CONFLICT);
}

static void other_words_name_no_file(void **state)
{
	static const char *const cases[] = {
	    "",
	    "error: ",
	    "error: \n",
	    "panic: reading " STAGE "/0/covmeta.x: y\n",
	    "error: reading inputs: open " STAGE "/0: no such file or directory\n",
	    "error: reading inputs: open " STAGE ": no such file or directory\n",
	    "error: open " STAGE "/",
	    "error: open " STAGE "/0/",
	    "error: open " STAGE "/0/ x",
	    "error: open " STAGE "//covmeta.x",
	    "error: open " STAGE "/a-name-too-long-for-us/covmeta.x",
	    "error: open /elsewhere/0/covmeta.x: y\n",
	};
	char flood[2000];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_fault(cases[i], COVDATA_FAULT_OTHER);
	/* a name longer than names can be */
	i = (size_t)snprintf(flood, sizeof flood, "error: open " STAGE "/0/");
	memset(flood + i, 'x', sizeof flood - i - 1);
	flood[sizeof flood - 1] = '\0';
	expect_fault(flood, COVDATA_FAULT_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(last_words_are_one_line),
	    cmocka_unit_test(cause_of_a_crash_is_found),
	    cmocka_unit_test(long_words_are_cut_at_characters),
	    cmocka_unit_test(staged_paths_become_real),
	    cmocka_unit_test(files_are_recognised),
	    cmocka_unit_test(conflicts_are_no_bad_files),
	    cmocka_unit_test(other_words_name_no_file),
	};

	return cmocka_run_group_tests_name("covdata_words", tests, NULL, NULL);
}
