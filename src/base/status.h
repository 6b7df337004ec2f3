/* Status codes are returned; messages go to the context's message buffer. */
#ifndef PLX_BASE_STATUS_H
#define PLX_BASE_STATUS_H

#include "parallax.h"

#include <stdarg.h>

enum { PLX__MESSAGE_BYTES = 512 };

/* The message of the last failure. One writer at a time. */
typedef struct plx__message {
    char text[PLX__MESSAGE_BYTES];
} plx__message;

/* Stores the formatted message and returns code, so that a failure is one statement. */
plx_status plx__fail(plx__message *message, plx_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Fails with PLX_ERR_ARGUMENT when a required pointer is NULL. */
plx_status plx__need(plx__message *message, const char *where, const char *what,
                     const void *pointer);

/* snprintf without a result: text is always terminated, and truncated if necessary. */
void plx__format(char *text, size_t bytes, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void plx__format_list(char *text, size_t bytes, const char *format, va_list args);

/* Writes a shape as "[2, 3, 4]", for messages. Returns text. */
const char *plx__shape_text(int rank, const int64_t *dims, char *text, size_t bytes);

#define PLX_TRY(expression)                                                                        \
    do {                                                                                           \
        plx_status plx__status_ = (expression);                                                    \
        if (plx__status_ != PLX_OK) return plx__status_;                                           \
    } while (0)

#endif
