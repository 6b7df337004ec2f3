/* Reads ONNX files by protobuf-c into the plain structures of parallax_onnx.h. */
#ifndef PLX_ONNX_FILE_H
#define PLX_ONNX_FILE_H

#include "parallax_onnx.h"

#include <stddef.h>

typedef struct onnx_file onnx_file;

/* Reads a file, and the files beside it that hold its tensors: those in its own folder, or below
 * it. NULL after a failure, whose sentence is in message. Free with onnx_file_free. */
onnx_file *onnx_file_open(const char *path, char *message, size_t message_bytes);
/* The same from the bytes of a file, which may be freed afterwards. folder: where tensors outside
 * the file are; NULL: they are refused. Memory is limited to 64 MiB and eight times the size. */
onnx_file *onnx_file_decode(const void *bytes, size_t size, const char *folder, char *message,
                            size_t message_bytes);
void onnx_file_free(onnx_file *file);

/* Valid until the file is freed. */
const plx_onnx_model *onnx_file_model(const onnx_file *file);

#endif
