#include "cgi/format/byte_reader.h"

uint64_t byte_reader_long_uleb(struct byte_reader *r)
{
	uint64_t value = 0;
	unsigned shift = 0;

	while (r->at < r->end) {
		uint8_t byte = *r->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
		shift += 7;
	}
	r->failed = true;
	return 0;
}
