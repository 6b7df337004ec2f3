/* Whole files, gzip or not, into memory. */
#ifndef PLX_CLI_READ_FILE_H
#define PLX_CLI_READ_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Reads a file, decompressed if it is gzip; more than 1 GiB is refused. On failure the sentence is
 * in message. Free with free; one zero byte follows the contents. */
bool read_file(const char *name, char **bytes, size_t *size, char *message, size_t message_bytes);

#endif
