/* The list of all processes, as Windows writes it, and UTF-16. */
/* target: fuzz_win_list.c deps: probes_windows_dep */
#include "base/text.h"
#include "probes/windows/list.h"
#include "probes/windows/pagefile.h"
#include "probes/windows/utf16.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TURNS_MAX 100000

/* Names are pointers: taken to lie from address 0 on. */
static void list(const uint8_t *data, size_t size)
{
    struct oc_win_list list;
    struct oc_win_entry entry;

    oc_win_list_begin(&list, data, size, 0);
    for (int turn = 0; oc_win_list_next(&list, &entry) == 1; turn++) {
        assert(turn < TURNS_MAX);
        assert(oc_text_is_utf8(entry.name, strlen(entry.name), NULL));
        for (uint32_t i = 0; i < entry.thread_count; i++)
            (void)oc_win_entry_tid(&entry, i);
        assert(oc_win_entry_private(&entry) >= entry.pagefile_bytes);
    }
}

/* What became UTF-8 becomes the same again by way of UTF-16. */
static void text(const uint8_t *data, size_t size)
{
    char once[512], again[512];
    unsigned char wide[1024];
    size_t units = size / 2 > 100 ? 100 : size / 2;

    (void)oc_win_utf8(data, units, once, sizeof once);
    assert(oc_text_is_utf8(once, strlen(once), NULL));
    units = oc_win_utf16(once, wide, sizeof wide / 2);
    (void)oc_win_utf8(wide, units, again, sizeof again);
    assert(strcmp(once, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oc_win_pagefile file;
    unsigned char wide[64];
    char *line = malloc(size + 1);

    if (!line)
        return 0;
    memcpy(line, data, size);
    line[size] = '\0';
    list(data, size);
    text(data, size);
    assert(oc_win_utf16(line, wide, sizeof wide / 2) <= sizeof wide / 2);
    (void)oc_win_pagefile_parse(line, &file);
    free(line);
    return 0;
}
