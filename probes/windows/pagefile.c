#include "probes/windows/pagefile.h"

#include "base/err.h"

#include <string.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define MIB_MAX (UINT64_C(1) << 40)

/* The number at *text, after blanks; moves on behind it. */
static int take_number(const char **text, uint64_t *out)
{
    uint64_t value = 0;
    int digits = 0;

    while (**text == ' ')
        (*text)++;
    for (; **text >= '0' && **text <= '9'; (*text)++, digits++) {
        value = value * 10 + (uint64_t)(**text - '0');
        if (value > MIB_MAX)
            return OC_E_PARSE;
    }
    *out = value;
    return digits > 0 ? OC_OK : OC_E_PARSE;
}

int oc_win_pagefile_parse(const char *line, struct oc_win_pagefile *out_file)
{
    struct oc_win_pagefile file = { 0 };
    uint64_t min_mib = 0, max_mib = 0;
    const char *sizes = NULL;

    if (strncmp(line, "\\??\\", 4) == 0)
        line += 4;
    if (line[0] == '\0' || line[1] != ':')
        return OC_E_PARSE;
    file.drive = line[0] >= 'a' && line[0] <= 'z' ? (char)(line[0] - 'a' + 'A') : line[0];
    if (file.drive != '?' && (file.drive < 'A' || file.drive > 'Z'))
        return OC_E_PARSE;
    sizes = strchr(line, ' '); /* the file's name is pagefile.sys and holds none */
    if (sizes && (take_number(&sizes, &min_mib) != OC_OK || take_number(&sizes, &max_mib) != OC_OK))
        return OC_E_PARSE;
    file.is_managed = max_mib == 0;
    file.max_bytes = (max_mib > min_mib ? max_mib : min_mib) * MIB;
    *out_file = file;
    return OC_OK;
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

uint64_t oc_win_pagefile_limit(const struct oc_win_pagefile *file, uint64_t ram_bytes,
                               uint64_t volume_bytes, uint64_t free_bytes, uint64_t now_bytes)
{
    uint64_t limit = file->max_bytes;

    if (file->is_managed)
        limit = least(ram_bytes > 4 * GIB / 3 ? ram_bytes * 3 : 4 * GIB, volume_bytes / 8);
    if (limit > now_bytes)
        limit = now_bytes + least(limit - now_bytes, free_bytes);
    return limit > now_bytes ? limit : now_bytes;
}
