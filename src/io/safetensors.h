/* What the layers above read from an open safetensors file besides parallax.h. */
#ifndef PLX_IO_SAFETENSORS_H
#define PLX_IO_SAFETENSORS_H

#include "parallax_files.h"

/* Tensor of that name; NULL if there is none. */
const plx_file_tensor *plx__safetensors_find(const plx_safetensors *file, const char *name);

/* Orders pairs of metadata by their keys, for qsort. */
int plx__metadata_by_key(const void *a, const void *b);

/* Converts the values of a tensor to plx_real. PLX_ERR_FORMAT, with the number of the first, where
 * an integer has more digits than plx_real; y may be NULL to check only. what: "weights" in the
 * message. */
plx_status plx__safetensors_read(const plx_safetensors *file, const plx_file_tensor *tensor,
                                 const char *what, plx_real *y);

/* What a file is written from. */
typedef struct plx__file_entry {
    const char *name;
    plx_dtype dtype;
    int rank;
    const int64_t *dims;
    const void *data;
} plx__file_entry;

/* Bytes of an entry's data. */
int64_t plx__file_entry_bytes(const plx__file_entry *entry);

/* Writes a file: the header, then the data of the entries, which are sorted by falling width of
 * their elements and by name, so that all data are aligned. Metadata is written by key. what names
 * the caller in messages. */
plx_status plx__file_write(plx_ctx *ctx, const char *what, int count, plx__file_entry *entries,
                           int metadata_count, const plx_metadata *metadata, plx_write *write,
                           void *user);

#endif
