/* The journal's native protocol: a datagram of NAME=value lines, a value with newlines as
 * NAME, newline, its length in 64 little-endian bits, the bytes. */
#include "daemon/os.h"

#include "base/text.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL_PATH "/run/systemd/journal/socket"
#define MAX_EVENT_BYTES (16u << 10)

static int journal_fd = -1;

/* $JOURNAL_STREAM names device and inode of the stream; another program may have inherited it. */
static int stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device = 0, inode = 0;
    char *colon = NULL;
    struct stat stat;

    if (!stream)
        return 0;
    device = strtoull(stream, &colon, 10);
    if (colon == stream || *colon != ':')
        return 0;
    inode = strtoull(colon + 1, NULL, 10);
    return fstat(STDERR_FILENO, &stat) == 0 && stat.st_dev == device && stat.st_ino == inode;
}

int oc_syslog_open(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (!stderr_is_journal())
        return OC_E_NOTSUP;
    if (oc_text_copy(address.sun_path, sizeof(address.sun_path), path ? path : JOURNAL_PATH) < 0)
        return OC_E_NOENT;
    if (journal_fd >= 0)
        (void)close(journal_fd);
    journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (journal_fd < 0)
        return OC_E_NOFILE;
    if (connect(journal_fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(journal_fd);
        journal_fd = -1;
        return OC_E_NOENT;
    }
    return OC_OK;
}

static void put_field(struct oc_buf *buf, const char *name, const char *value)
{
    uint64_t len = strlen(value);
    unsigned char le[8];

    if (!strchr(value, '\n')) {
        oc_buf_printf(buf, "%s=%s\n", name, value);
        return;
    }
    for (size_t i = 0; i < sizeof(le); i++)
        le[i] = (unsigned char)(len >> (8 * i));
    oc_buf_printf(buf, "%s\n", name);
    oc_buf_add(buf, le, sizeof(le));
    oc_buf_puts(buf, value);
    oc_buf_putc(buf, '\n');
}

/* OOMCAST_PID: journal fields are of A-Z, 0-9 and _. */
static void field_name(const char *name, char out[72])
{
    size_t at = (size_t)snprintf(out, 72, "OOMCAST_");

    for (; *name && at < 71; name++)
        out[at++] = *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
    out[at] = '\0';
}

static void put_typed(struct oc_buf *buf, const struct oc_field *field)
{
    char name[72];
    char number[40] = "";

    field_name(field->name, name);
    if (field->type == OC_FIELD_STR) {
        put_field(buf, name, field->value.str ? field->value.str : "");
        return;
    }
    if (field->type == OC_FIELD_I64)
        (void)snprintf(number, sizeof(number), "%" PRId64, field->value.i64);
    else if (field->type == OC_FIELD_U64)
        (void)snprintf(number, sizeof(number), "%" PRIu64, field->value.u64);
    else
        (void)snprintf(number, sizeof(number), "%.6g", field->value.dbl);
    put_field(buf, name, number);
}

void oc_syslog_sink(const struct oc_log_event *event, void *context)
{
    static const char *const priorities[] = { "3", "4", "6", "7" };
    static char line_room[MAX_EVENT_BYTES], room[2 * MAX_EVENT_BYTES];
    struct oc_buf line; /* events come one at a time; no memory is taken for them */
    struct oc_buf message;

    (void)context;
    oc_buf_init_fixed(&line, line_room, sizeof(line_room));
    oc_buf_init_fixed(&message, room, sizeof(room));
    oc_log_format(event, OC_LOG_TEXT, &line);
    put_field(&message, "MESSAGE", line.data);
    put_field(&message, "PRIORITY", priorities[event->level]);
    put_field(&message, "SYSLOG_IDENTIFIER", "oomcastd");
    put_field(&message, "OOMCAST_EVENT", event->event);
    for (const struct oc_field *field = event->fields; field->type != OC_FIELD_END; field++)
        put_typed(&message, field);
    if (message.err == OC_OK && journal_fd >= 0)
        (void)send(journal_fd, message.data, message.len_bytes, MSG_NOSIGNAL);
}
