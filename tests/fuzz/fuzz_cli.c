/* target: fuzz_cli.c deps: cli_dep. Points in time of the command line, bytes of a terminal, names in cells. */
#include "cli/show/screen.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOW_UNIX_MS INT64_C(1790000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void lay_out(const char *text)
{
    static const struct oc_column columns[] = { { "NAME", OC_ALIGN_LEFT, 12, 1 },
                                                { "N", OC_ALIGN_RIGHT, 0, 0 },
                                                { 0 } };
    struct oc_table_style style = { 20, 0, 1 };
    struct oc_table table;
    struct oc_buf out;

    oc_buf_init(&out, 1u << 20);
    oc_table_init(&table, columns);
    oc_table_cell(&table, text);
    oc_table_cell(&table, text);
    (void)oc_table_print(&table, &style, &out);
    if (out.data && memchr(out.data, '\033', out.len_bytes))
        abort(); /* a name must not reach the terminal as it is */
    oc_table_clear(&table);
    oc_buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    int64_t unix_ms;
    int key;

    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (oc_timespec_parse(text, NOW_UNIX_MS, &unix_ms) == 0 && unix_ms < 0)
        abort();
    for (int at = 0; at < (int)size;)
        at += oc_key_parse(text + at, (int)size - at, &key);
    lay_out(text);
    free(text);
    return 0;
}
