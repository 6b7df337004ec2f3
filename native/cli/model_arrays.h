/* Arrays that a model of others takes and gives, in files of NumPy. */
#ifndef PLX_CLI_MODEL_ARRAYS_H
#define PLX_CLI_MODEL_ARRAYS_H

#include "parallax_onnx.h"

/* An array in a type of the format, row-major. */
typedef struct model_array {
    plx_onnx_tensor tensor; /* its name and dims are borrowed from the array */
    int64_t dims[PLX_MAX_RANK];
    int64_t size;
    void *data;
} model_array;

/* Read FILE.npy for an input, whose type it must have (0: any); a number, for an input of one
 * element. On failure the sentence is printed. Free with model_array_free. */
bool model_array_read(plx_ctx *ctx, const plx_onnx_port *port, const char *name, model_array *out);
bool model_array_number(const plx_onnx_port *port, const char *text, model_array *out);
void model_array_free(model_array *array);

/* The elements as an imported model binds them: whole numbers in 32 bits. In place. On failure the
 * sentence is printed. */
bool model_array_bind(model_array *array);

/* Writes the values of an output to FOLDER/NAME.npy, with characters that a file name should not
 * have replaced. On failure the sentence is printed; else *path is the file's name: free it. */
bool model_array_write(plx_ctx *ctx, const plx_onnx_value *value, const void *data,
                       const char *folder, char **path);

/* Element i of an output as a number. */
double model_array_at(const plx_onnx_value *value, const void *data, int64_t i);

#endif
