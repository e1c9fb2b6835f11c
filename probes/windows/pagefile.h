/* How far the page files may grow, and with them the commit limit. Pure. */
#ifndef OC_PROBES_WINDOWS_PAGEFILE_H
#define OC_PROBES_WINDOWS_PAGEFILE_H

#include <stdint.h>

/* One line of HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management, PagingFiles. */
struct oc_win_pagefile {
    char drive;         /* 'C'; '?' Windows chooses one: the system's */
    int is_managed;     /* Windows chooses the sizes */
    uint64_t max_bytes; /* of one that is not */
};

/* "C:\pagefile.sys 1024 4096" (MiB), "C:\pagefile.sys 0 0", "?:\pagefile.sys". 0 or OC_E_PARSE. */
int oc_win_pagefile_parse(const char *line, struct oc_win_pagefile *out_file);

/*
 * The largest that a file may become: its own maximum, or of a managed one three times RAM and at least 4 GiB, at most an
 * eighth of the volume; never more than it has and the volume still has free, never less than it has.
 * Source: Microsoft's "Introduction to page files".
 */
uint64_t oc_win_pagefile_limit(const struct oc_win_pagefile *file, uint64_t ram_bytes,
                               uint64_t volume_bytes, uint64_t free_bytes, uint64_t now_bytes);

#endif
