/* What is written in /proc/PID/limits, and which rights a process has. */
#include "probes/linux/limits.h"

#include "base/err.h"
#include "probes/linux/parse.h"

#include <string.h>

struct line {
    const char *name;
    size_t offset; /* in struct oc_lx_rlimits */
};

static const struct line lines[] = {
    { "Max data size", offsetof(struct oc_lx_rlimits, data_bytes) },
    { "Max stack size", offsetof(struct oc_lx_rlimits, stack_bytes) },
    { "Max processes", offsetof(struct oc_lx_rlimits, nproc_count) },
    { "Max open files", offsetof(struct oc_lx_rlimits, nofile_count) },
    { "Max address space", offsetof(struct oc_lx_rlimits, as_bytes) },
};

/* The first word of the rest of a line: a number or "unlimited". */
static int soft_limit(const char *at, const char *newline, uint64_t *out_value)
{
    static const char none[] = "unlimited";
    uint64_t value = 0;
    int digits = 0;

    while (at < newline && *at == ' ')
        at++;
    if ((size_t)(newline - at) >= sizeof none - 1 && memcmp(at, none, sizeof none - 1) == 0) {
        *out_value = OC_LX_MAX;
        return OC_OK;
    }
    for (; at < newline && (unsigned char)(*at - '0') < 10; at++, digits++) {
        if (value > (UINT64_MAX - 9) / 10)
            return OC_E_PARSE;
        value = value * 10 + (unsigned char)(*at - '0');
    }
    if (digits == 0 || (at < newline && *at != ' '))
        return OC_E_PARSE;
    *out_value =
        value > INT64_MAX ? OC_LX_MAX : value; /* a figure is an int64_t: as good as none */
    return OC_OK;
}

/* Takes the line if it is one of ours. */
static int take_line(const char *line, const char *newline, struct oc_lx_rlimits *rlimits)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        size_t name_bytes = strlen(lines[i].name);
        uint64_t value = OC_LX_MAX;

        if ((size_t)(newline - line) <= name_bytes || line[name_bytes] != ' ' ||
            memcmp(line, lines[i].name, name_bytes) != 0)
            continue;
        if (soft_limit(line + name_bytes, newline, &value) != OC_OK)
            return 0;
        memcpy((char *)rlimits + lines[i].offset, &value, sizeof value);
        return 1;
    }
    return 0;
}

int oc_lx_rlimits_parse(const char *text, size_t len_bytes, struct oc_lx_rlimits *out_rlimits)
{
    struct oc_lx_rlimits rlimits = { OC_LX_MAX, OC_LX_MAX, OC_LX_MAX, OC_LX_MAX, OC_LX_MAX };
    const char *line = text, *end = text + len_bytes, *newline = NULL;
    int found = 0;

    for (; line < end; line = newline + 1) {
        newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline)
            break; /* cut: its number may be too */
        found += take_line(line, newline, &rlimits);
    }
    if (found == 0)
        return OC_E_PARSE;
    *out_rlimits = rlimits;
    return OC_OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int oc_lx_caps_parse(const char *text, size_t len_bytes, uint64_t *out_effective)
{
    static const char key[] = "\nCapEff:\t";
    const size_t key_bytes = sizeof key - 1;
    const char *at = memmem(text, len_bytes, key, key_bytes), *end = text + len_bytes;
    uint64_t value = 0;
    int digits = 0;

    if (!at)
        return OC_E_PARSE;
    for (at += key_bytes; at < end && hex_digit(*at) >= 0 && digits <= 16; at++, digits++)
        value = value << 4 | (uint64_t)hex_digit(*at);
    if (digits == 0 || digits > 16 || at == end || *at != '\n')
        return OC_E_PARSE;
    *out_effective = value;
    return OC_OK;
}
