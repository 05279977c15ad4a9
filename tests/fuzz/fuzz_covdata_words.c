/* What covdata says on stderr. */
#include "fuzz.h"

#include <string.h>

#include "cgi/base/utf8.h"
#include "cgi/covdata/covdata_words.h"

#define STAGE "/stage"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dir[] = "/dir";
	static struct string_item item = {dir, sizeof dir - 1};
	static const struct string_list dirs = {&item, 1};
	cleanup_buffer struct buffer text = BUFFER_INIT;
	struct covdata_complaint complaint;
	const char *said = (const char *)data;
	char words[100];

	covdata_last_words(said, size, words, sizeof words);
	fuzz_expect(words[0] && strlen(words) < sizeof words);
	fuzz_expect(utf8_valid(words, strlen(words)) && !strpbrk(words, "\n\r\t"));
	covdata_complaint_parse(said, size, STAGE, &complaint);
	if (complaint.fault == COVDATA_FAULT_FILE) {
		fuzz_expect(complaint.subdir[0] && complaint.name[0] && complaint.reason[0]);
		fuzz_expect(!strchr(complaint.name, '/') && !strchr(complaint.subdir, '/'));
		fuzz_expect(memmem(said, size, complaint.name, strlen(complaint.name)));
	}
	covdata_unstage(said, size, STAGE, &dirs, &text);
	fuzz_expect(!text.failed && text.len <= size);
	return 0;
}
