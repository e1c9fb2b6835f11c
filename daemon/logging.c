#include "daemon/logging.h"

#include "daemon/os.h"

#include <stdio.h>
#include <string.h>

#define MAX_LINE_BYTES (16u << 10)

static void write_json(const struct oc_log_event *event, void *context)
{
    static char room[MAX_LINE_BYTES]; /* events come one at a time; no memory is taken for them */
    struct oc_buf line;

    (void)context;
    oc_buf_init_fixed(&line, room, sizeof(room));
    oc_log_format(event, OC_LOG_JSON, &line);
    oc_buf_putc(&line, '\n');
    if (line.err == OC_OK)
        (void)fwrite(line.data, 1, line.len_bytes, stderr);
    else
        (void)fprintf(stderr, "{\"level\":\"%s\",\"event\":\"%s\"}\n",
                      oc_log_level_name(event->level), event->event);
}

void oc_logging_open(const char *format, const char *level)
{
    if (strcmp(format, "json") == 0)
        oc_log_set_sink(write_json, NULL);
    else if (strcmp(format, "auto") == 0 && oc_syslog_open(NULL) == OC_OK)
        oc_log_set_sink(oc_syslog_sink, NULL);
    oc_logging_set_level(level);
}

void oc_logging_set_level(const char *level)
{
    enum oc_log_level value = OC_LOG_INFO;

    if (oc_log_level_from_name(level, &value) == OC_OK)
        oc_log_set_level(value);
}
