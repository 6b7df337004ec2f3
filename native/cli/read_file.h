/* Reads whole files, gzip or not, into memory. */
#ifndef PLX_CLI_READ_FILE_H
#define PLX_CLI_READ_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Reads a file and decompresses it if it is gzip; more than 1 GiB is refused. On failure the
 * sentence is in message. Free with free; the contents are followed by one zero byte. */
bool read_file(const char *name, char **bytes, size_t *size, char *message, size_t message_bytes);

#endif
