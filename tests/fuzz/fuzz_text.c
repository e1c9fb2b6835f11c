/* Words of people: numbers, durations, sizes, globs, and names on their way to a terminal. */
/* target: fuzz_text.c deps: base_dep */
#include "base/buf.h"
#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[513], copy[64], words[48];
    size_t half = 0;
    int64_t number = 0;
    uint64_t bytes = 0;
    struct oc_buf buf;

    if (size > sizeof text - 1)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (oc_text_i64(text, &number) == 0)
        (void)oc_text_ms(number, words, sizeof words);
    if (oc_text_duration_ms(text, &number) == 0)
        assert(number >= 0);
    if (oc_text_size_bytes(text, &bytes) == 0)
        (void)oc_text_bytes((int64_t)(bytes >> 1), words, sizeof words);
    (void)oc_text_columns(text);
    oc_text_copy_utf8(copy, sizeof copy, text, size);
    assert(oc_text_is_utf8(copy, strlen(copy), NULL));
    oc_buf_init(&buf, 8192);
    oc_buf_escaped(&buf, text);
    assert(!buf.data || oc_text_is_utf8(buf.data, buf.len_bytes, NULL));
    assert(!buf.data || !strpbrk(buf.data, "\x1b\n\r\t\b\x7f"));
    oc_buf_reset(&buf);
    oc_buf_json_string(&buf, text);
    assert(buf.len_bytes >= 2 && oc_text_is_utf8(buf.data, buf.len_bytes, NULL));
    oc_buf_clear(&buf);
    half = strlen(text) / 2;
    if (half) {
        char keep = text[half];

        text[half] = '\0';
        (void)oc_text_glob(text, text + half + 1);
        (void)oc_text_distance(text, text + half + 1, 5);
        text[half] = keep;
    }
    return 0;
}
