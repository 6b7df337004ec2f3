/*
 * Files: data and weights, parsed from bytes and written through a function of the caller, on top
 * of parallax.h, whose conventions hold here. The library opens no file.
 *
 * Reading order: data, weight files.
 */
#ifndef PARALLAX_FILES_H
#define PARALLAX_FILES_H

#include "parallax.h"

#ifdef __cplusplus
extern "C" {
#endif

PLX_BEGIN_EXPORTS

/* ---- Data ------------------------------------------------------------------------------------ */

/* An IDX array of unsigned bytes (LeCun, "The MNIST database"), pointing into the given bytes. */
typedef struct plx_idx {
    int rank;
    int64_t dims[PLX_MAX_RANK];
    const uint8_t *data;
    int64_t size;
} plx_idx;

/* bytes are the uncompressed file. Every size is checked against the number of bytes. */
plx_status plx_idx_parse(plx_ctx *ctx, const void *bytes, size_t size, plx_idx *out);

/* A table of numbers. */
typedef struct plx_csv {
    int64_t rows, columns;
    double *values; /* [rows, columns]; in double, so that a table of time stamps keeps seconds */
    bool names;     /* the first line names the columns and is not a row */
} plx_csv;

/* Parses RFC 4180: cells separated by commas, optional quotes around any of them, lines that end in
 * CR LF, LF or CR. Beyond that: blanks around cells, blank lines and a UTF-8 byte order mark are
 * skipped; if the first line has a semicolon, semicolons separate cells and decimal commas are
 * allowed. A line "sep=;" or "sep=," before all others, as Excel writes it, sets the separator and
 * is skipped. A first line without any number names the columns, unless it has nothing but missing
 * values (NA, N/A, null, None). A cell that is empty, missing or not a finite number, a row of
 * another length and another encoding are PLX_ERR_FORMAT with line and column. Free with
 * plx_csv_free. */
plx_status plx_csv_parse(plx_ctx *ctx, const char *text, size_t size, plx_csv *out);
void plx_csv_free(plx_csv *csv);

/* An array of NumPy (numpy.lib.format, "The .npy format"), pointing into the given bytes. */
typedef struct plx_npy {
    char kind; /* 'f': floating point, 'i', 'u': integers with and without a sign, 'b': booleans */
    int width; /* bytes of an element: 2, 4 or 8 of f; 1, 4 or 8 of i; 1 of u and b */
    bool big_endian;
    bool fortran; /* column-major: the first index varies fastest */
    int rank;
    int64_t dims[PLX_MAX_RANK];
    int64_t size;
    const void *data; /* size elements as stored, not aligned */
} plx_npy;

/* Parses versions 1.0 to 3.0. The header must have its three fields once each and nothing else, and
 * at most 10,000 characters, NumPy's own limit; PLX_ERR_FORMAT says where it is wrong. Every size
 * is checked against the number of bytes. */
plx_status plx_npy_parse(plx_ctx *ctx, const void *bytes, size_t size, plx_npy *out);
/* Copies the elements to out [size * width bytes] in row-major order and in this machine's order of
 * bytes. */
void plx_npy_copy(const plx_npy *array, void *out);

/* ---- Weight files ---------------------------------------------------------------------------- */

/* A pair of texts in UTF-8. */
typedef struct plx_metadata {
    const char *key, *value;
} plx_metadata;

/* Writes size bytes; false where that failed. */
typedef bool plx_write(void *user, const void *bytes, size_t size);

/* Writes an array as version 1.0, its elements as they are stored. PLX_ERR_IO where write failed,
 * PLX_ERR_ARGUMENT for a kind and a width that plx_npy does not list. */
plx_status plx_npy_write(plx_ctx *ctx, const plx_npy *array, plx_write *write, void *user);

/* A tensor in a file. */
typedef struct plx_file_tensor {
    const char *name, *dtype; /* "F32", as the format names it */
    int rank;
    int64_t dims[PLX_MAX_RANK];
    int64_t size, bytes;
    int64_t offset;   /* of its data behind the header */
    const void *data; /* little-endian, not aligned */
} plx_file_tensor;

/* Named tensors in the format safetensors (huggingface/safetensors, README, "Format"). */
typedef struct plx_safetensors plx_safetensors;

/* Opens a file that is in memory or mapped there; the bytes stay the caller's, and must outlive the
 * result. The header is checked as the format's own library does it, and what that lets pass is
 * refused as well: names that come twice, fields that are not known. PLX_ERR_FORMAT says where. */
plx_status plx_safetensors_open(plx_ctx *ctx, const void *bytes, size_t size,
                                plx_safetensors **out);
void plx_safetensors_free(plx_safetensors *file);
int plx_safetensors_count(const plx_safetensors *file);
/* Tensor i in the order of the data; all 0 and "" past the last. */
plx_file_tensor plx_safetensors_at(const plx_safetensors *file, int i);
/* Pair i of the metadata in the order of the keys; NULL past the last. */
plx_metadata plx_safetensors_metadata(const plx_safetensors *file, int i);

PLX_END_EXPORTS

#ifdef __cplusplus
}
#endif

#endif
