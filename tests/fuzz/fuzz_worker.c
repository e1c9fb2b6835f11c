/* Command lines that call themselves w3wp.exe, and records of the event log made of the same bytes. */
#include "probes/windows/iis.h"
#include "probes/windows/records.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_record(const char *text)
{
    static const struct {
        const char *source;
        uint32_t id;
    } kinds[] = { { "Microsoft-Windows-WAS", 5074 },
                  { "Microsoft-Windows-WAS", 5009 },
                  { ".NET Runtime", 1026 },
                  { "Application Error", 1000 } };
    struct oc_win_told told;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct oc_win_record record = { .source = kinds[i].source,
                                        .id = kinds[i].id,
                                        .strings = { text, text, text, text, text, text, text, text,
                                                     text },
                                        .string_count = 9 };

        if (oc_win_record_tell(&record, &told) != 1 ||
            !memchr(told.text, '\0', sizeof(told.text)) || strchr(told.text, '\n'))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oc_win_worker worker;
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (oc_win_worker_parse(NULL, text, &worker) == 1 && !worker.pool[0])
        abort();
    read_record(text);
    free(text);
    return 0;
}
