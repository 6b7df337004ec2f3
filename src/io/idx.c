/* IDX arrays (LeCun, "The MNIST database of handwritten digits"): two zero bytes, a type, a rank,
 * big-endian dimensions, the values. Files are untrusted: every size is checked before use. */
#include "parallax_files.h"

#include "base/context.h"

enum { UNSIGNED_BYTE = 0x08 };

plx_status plx_idx_parse(plx_ctx *ctx, const void *bytes, size_t size, plx_idx *out) {
    plx__message *message = &ctx->message;
    const uint8_t *at = bytes;
    if (size) PLX_TRY(plx__need(message, "idx", "bytes", bytes));
    PLX_TRY(plx__need(message, "idx", "out", out));
    if (size < 4)
        return plx__fail(message, PLX_ERR_FORMAT,
                         "idx: the file has %llu bytes, too few for a header",
                         (unsigned long long)size);
    if (at[0] || at[1])
        return plx__fail(message, PLX_ERR_FORMAT,
                         "idx: the file starts with 0x%02x 0x%02x, not with two zero bytes; is it "
                         "still compressed?",
                         at[0], at[1]);
    if (at[2] != UNSIGNED_BYTE)
        return plx__fail(
            message, PLX_ERR_FORMAT,
            "idx: the element type is 0x%02x; only unsigned bytes (0x08) are supported", at[2]);
    const int rank = at[3];
    if (rank < 1 || rank > PLX_MAX_RANK)
        return plx__fail(message, PLX_ERR_FORMAT,
                         "idx: the file has %d dimensions; 1 to %d are supported", rank,
                         PLX_MAX_RANK);
    const size_t header = 4 + 4 * (size_t)rank;
    if (size < header)
        return plx__fail(message, PLX_ERR_FORMAT,
                         "idx: the file has %llu bytes, fewer than its header of %llu",
                         (unsigned long long)size, (unsigned long long)header);
    plx_idx idx = {.rank = rank, .data = at + header, .size = 1};
    const uint64_t available = size - header;
    uint64_t promised = 1;
    for (int i = 0; i < rank; ++i) {
        const uint8_t *d = at + 4 + 4 * i;
        idx.dims[i] = (int64_t)d[0] << 24 | (int64_t)d[1] << 16 | (int64_t)d[2] << 8 | d[3];
        /* A product of at most the file's size times at most 2^32: no overflow for files below 4
         * GiB, and larger products are rejected at once. */
        if (idx.dims[i] && promised > UINT64_MAX / (uint64_t)idx.dims[i])
            return plx__fail(message, PLX_ERR_FORMAT, "idx: the dimensions overflow");
        promised *= (uint64_t)idx.dims[i];
    }
    if (promised != available)
        return plx__fail(message, PLX_ERR_FORMAT,
                         "idx: the header promises %llu values, but the file holds %llu; it is %s",
                         (unsigned long long)promised, (unsigned long long)available,
                         promised > available ? "truncated" : "too long");
    idx.size = (int64_t)promised;
    *out = idx;
    return PLX_OK;
}
