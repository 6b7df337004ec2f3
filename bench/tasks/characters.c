/* The characters of a text: from UTF-8 to numbers, and back. */
#include "bench/tasks/text_task.h"

#include <string.h>

enum { MOST_CHARACTERS = 4096, CODE_POINTS = 0x110000 };

/* The code point at text and its length in bytes; 0 bytes: invalid UTF-8 (RFC 3629: including
 * overlong forms and surrogates). */
static uint32_t code_point(const unsigned char *text, size_t left, int *bytes) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char lead = text[0];
    const int length = lead < 0x80       ? 1
                       : lead >> 5 == 6  ? 2
                       : lead >> 4 == 14 ? 3
                       : lead >> 3 == 30 ? 4
                                         : 0;
    *bytes = 0;
    if (!length || (size_t)length > left) return 0;
    uint32_t code = length == 1 ? lead : lead & (0x7fu >> length);
    for (int i = 1; i < length; ++i) {
        if (text[i] >> 6 != 2) return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    if (code < least[length] || code >= CODE_POINTS || (code >= 0xd800 && code < 0xe000)) return 0;
    *bytes = length;
    return code;
}

/* Converts code points to ids, and marks in seen which occur. */
static plx_status decode(plx_learning *l, plx__text *text, int32_t *seen) {
    const unsigned char *at = (const unsigned char *)l->options.text;
    size_t left = l->options.text_bytes;
    while (left) {
        int bytes;
        const uint32_t code = code_point(at, left, &bytes);
        if (!bytes)
            return plx_fail(
                l->ctx, PLX_ERR_FORMAT,
                "%s: byte %lld of the text's %lld, 0x%02x, does not begin a UTF-8 character",
                l->task->name, (long long)(l->options.text_bytes - left),
                (long long)l->options.text_bytes, (unsigned)at[0]);
        text->ids[text->count++] = (int32_t)code;
        seen[code] = 1;
        at += bytes;
        left -= (size_t)bytes;
    }
    return PLX_OK;
}

static plx_status number_characters(plx_learning *l, plx__text *text, int32_t *numbers) {
    for (int32_t code = 0; code < CODE_POINTS; ++code) {
        if (!numbers[code]) continue;
        if (text->vocabulary < MOST_CHARACTERS) text->characters[text->vocabulary] = (uint32_t)code;
        numbers[code] = (int32_t)text->vocabulary++;
    }
    if (text->vocabulary < 2 || text->vocabulary > MOST_CHARACTERS)
        return plx_fail(l->ctx, PLX_ERR_ARGUMENT,
                        "%s: the text has %lld different characters; 2 to %d are allowed",
                        l->task->name, (long long)text->vocabulary, MOST_CHARACTERS);
    for (int64_t i = 0; i < text->count; ++i) text->ids[i] = numbers[text->ids[i]];
    return PLX_OK;
}

plx_status plx__text_read(plx_learning *l, plx__text *text) {
    text->ids = plx_alloc((l->options.text_bytes + 1) * sizeof *text->ids);
    text->characters = plx_alloc(MOST_CHARACTERS * sizeof *text->characters);
    int32_t *numbers = plx_alloc(CODE_POINTS * sizeof *numbers);
    plx_status status = PLX_OK;
    if (!text->ids || !text->characters || !numbers) {
        status = plx_fail(l->ctx, PLX_ERR_MEMORY, "%s: no memory for a text of %lld bytes",
                          l->task->name, (long long)l->options.text_bytes);
    } else {
        memset(numbers, 0, CODE_POINTS * sizeof *numbers);
        status = decode(l, text, numbers);
        if (status == PLX_OK) status = number_characters(l, text, numbers);
    }
    plx_free(numbers);
    return status;
}

/* Returns the number of bytes. */
static int encode(uint32_t code, char *to) {
    const int length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (length == 1) {
        to[0] = (char)code;
        return 1;
    }
    for (int i = length - 1; i > 0; --i, code >>= 6) to[i] = (char)(0x80 | (code & 0x3f));
    to[0] = (char)((0xf00u >> length & 0xff) | code);
    return length;
}

void plx__text_print(const plx__text *text, int64_t count, const int32_t *ids, char *to,
                     size_t bytes) {
    if (text->stories) {
        plx_stories_text(text->stories, count, ids, to, bytes);
        return;
    }
    size_t used = 0;
    for (int64_t i = 0; i < count && used + 5 <= bytes; ++i)
        used += (size_t)encode(text->characters[ids[i]], to + used);
    to[used] = '\0';
}
