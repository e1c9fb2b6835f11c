#include "probes/linux/mounts.h"

#include "base/err.h"

#include <string.h>

struct cursor {
    const char *at, *end; /* of a line */
};

/* The next word of the line; 0 at its end. */
static size_t next_word(struct cursor *cursor, const char **out_word)
{
    const char *word = NULL;

    while (cursor->at < cursor->end && *cursor->at == ' ')
        cursor->at++;
    word = cursor->at;
    while (cursor->at < cursor->end && *cursor->at != ' ')
        cursor->at++;
    *out_word = word;
    return (size_t)(cursor->at - word);
}

static int is_octal(char c) { return c >= '0' && c <= '7'; }

/* Blanks, newlines and backslashes are written as "\040". Too long, or with a NUL: none. */
static int unescape(const char *text, size_t len_bytes, char *out)
{
    size_t used = 0;

    for (size_t i = 0; i < len_bytes; used++) {
        char c = text[i];

        if (used + 1 >= OC_LX_MOUNT_BYTES)
            return OC_E_TOOBIG;
        if (c == '\\' && len_bytes - i >= 4 && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
            is_octal(text[i + 3])) {
            c = (char)((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0'));
            i += 3;
        }
        i++;
        if (c == '\0')
            return OC_E_PARSE;
        out[used] = c;
    }
    out[used] = '\0';
    return out[0] == '/' ? OC_OK : OC_E_PARSE;
}

static int is_word(const char *word, size_t word_bytes, const char *text)
{
    return word_bytes == strlen(text) && memcmp(word, text, word_bytes) == 0;
}

/*
 * "36 35 98:0 ROOT POINT OPTIONS [optional …] - TYPE SOURCE OPTIONS". Whether it is a cgroup
 * hierarchy, whole.
 */
static int take_line(const char *line, const char *newline, struct oc_lx_mount *mount)
{
    struct cursor cursor = { line, newline };
    const char *words[6] = { NULL }, *word = NULL;
    size_t sizes[6] = { 0 }, word_bytes = 0;

    for (int i = 0; i < 6; i++)
        sizes[i] = next_word(&cursor, &words[i]);
    do
        word_bytes = next_word(&cursor, &word);
    while (word_bytes > 0 && !is_word(word, word_bytes, "-"));
    word_bytes = next_word(&cursor, &word);
    mount->is_v2 = is_word(word, word_bytes, "cgroup2");
    if (!mount->is_v2 && !is_word(word, word_bytes, "cgroup"))
        return 0;
    (void)next_word(&cursor, &word); /* the source: any word */
    mount->options_bytes = next_word(&cursor, &mount->options);
    return mount->options_bytes > 0 && unescape(words[3], sizes[3], mount->root) == OC_OK &&
           unescape(words[4], sizes[4], mount->point) == OC_OK;
}

int oc_lx_mount_next(const char *text, size_t len_bytes, size_t *at_bytes,
                     struct oc_lx_mount *out_mount)
{
    while (*at_bytes < len_bytes) {
        const char *line = text + *at_bytes;
        const char *newline = memchr(line, '\n', len_bytes - *at_bytes);

        if (!newline)
            break;
        *at_bytes = (size_t)(newline - text) + 1;
        if (take_line(line, newline, out_mount))
            return 1;
    }
    return 0;
}

int oc_lx_mount_has(const struct oc_lx_mount *mount, const char *word)
{
    const char *at = mount->options, *end = at + mount->options_bytes;

    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end;

        if (is_word(at, (size_t)(stop - at), word))
            return 1;
        at = comma ? comma + 1 : end;
    }
    return 0;
}
