/* The encoding of text in files. */
#ifndef PLX_IO_UTF8_H
#define PLX_IO_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Whether text is UTF-8, without overlong forms, surrogates and code points above U+10FFFF.
 * Otherwise text in other encodings would pass as UTF-8. */
bool plx__is_utf8(const void *text, size_t length);

/* Writes a code point up to U+10FFFF, which is no surrogate; returns how many bytes, 1 to 4. */
size_t plx__put_utf8(unsigned code, char text[4]);

#endif
