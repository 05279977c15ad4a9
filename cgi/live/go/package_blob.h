/*
 * The meta-data of one package as it lies in a program's memory and, byte for byte, in its covmeta
 * file: header, offsets of the function records, string table, function records.
 */
#ifndef GOVERAGE_LIVE_GO_PACKAGE_BLOB_H
#define GOVERAGE_LIVE_GO_PACKAGE_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "cgi/format/coverage_hash.h"
#include "cgi/live/process/fault.h"

/*
 * The number of units (statement blocks) of each function: an array that the caller frees, and its
 * length, which may be 0 with a NULL array.  -1 with FAULT_UNSUPPORTED for a blob that makes no
 * sense. No allocation is larger than a small multiple of the blob.
 */
must_check int package_blob_units(const unsigned char *blob, size_t len, uint32_t **units,
				  uint32_t *n_functions, struct fault *fault);

/*
 * Work out the blob's hash again, in the way `kind`: which of the two ways gives the hash that the
 * blob carries tells which one its Go release uses.  -1 with FAULT_UNSUPPORTED for a blob that
 * makes no sense.
 */
must_check int package_blob_hash(const unsigned char *blob, size_t len,
				 enum coverage_hash_kind kind,
				 unsigned char out[COVERAGE_HASH_SIZE], struct fault *fault);

#endif
