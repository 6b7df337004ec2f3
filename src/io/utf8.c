/* UTF-8 (RFC 3629). */
#include "io/utf8.h"

#include <stdint.h>

bool plx__is_utf8(const void *text, size_t length) {
    const unsigned char *bytes = text;
    for (size_t i = 0, more; i < length; i += more) {
        const unsigned char *at = bytes + i++;
        more = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
        if (!more) continue;
        if (*at < 0xc2 || *at > 0xf4 || more > length - i) return false;
        uint32_t code = *at & (0x3fu >> more);
        for (size_t k = 1; k <= more; ++k) {
            if ((at[k] & 0xc0) != 0x80) return false;
            code = code << 6 | (at[k] & 0x3fu);
        }
        if (code >> (5 * more + 1) == 0 || code >> 11 == 0x1b || code > 0x10ffff) return false;
    }
    return true;
}

size_t plx__put_utf8(unsigned code, char text[4]) {
    if (code < 0x80) {
        text[0] = (char)code;
        return 1;
    }
    const size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    for (size_t k = more; k > 0; --k, code >>= 6) text[k] = (char)(0x80 | (code & 0x3f));
    text[0] = (char)(0xff00 >> (more + 1) | code);
    return more + 1;
}
