/* The journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram, or a sealed memory file of it. */
#include "notify/transport.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ENTRY_MAX_BYTES (1u << 20)

/* A to Z, digits and _, neither _ nor a digit first, 64 at most: others would make the journal drop the field. */
static int is_field_name(const char *name)
{
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    return len > 0 && len <= 64 && name[len] == '\0' && name[0] != '_' &&
           !(name[0] >= '0' && name[0] <= '9');
}

static void put_field(struct oc_buf *entry, const char *name, const char *value, size_t len)
{
    unsigned char le[8];

    if (!is_field_name(name))
        return;
    oc_buf_puts(entry, name);
    if (memchr(value, '\n', len)) {
        for (size_t i = 0; i < sizeof(le); i++)
            le[i] = (unsigned char)((uint64_t)len >> (8 * i));
        oc_buf_putc(entry, '\n');
        oc_buf_add(entry, le, sizeof(le));
    } else {
        oc_buf_putc(entry, '=');
    }
    oc_buf_add(entry, value, len);
    oc_buf_putc(entry, '\n');
}

static int has_field(const struct oc_wire_delivery *delivery, const char *name)
{
    for (size_t i = 0; i + 1 < delivery->fields.count; i += 2) {
        if (strcmp(delivery->fields.items[i], name) == 0)
            return 1;
    }
    return 0;
}

static void put_entry(struct oc_buf *entry, const struct oc_wire_delivery *delivery)
{
    size_t len = delivery->body_bytes;

    while (len > 0 && delivery->body[len - 1] == '\n')
        len--; /* the journal shows each as an empty line */
    if (delivery->body && !has_field(delivery, "MESSAGE"))
        put_field(entry, "MESSAGE", delivery->body, len);
    if (!has_field(delivery, "SYSLOG_IDENTIFIER"))
        put_field(entry, "SYSLOG_IDENTIFIER", "oomcast", 7);
    for (size_t i = 0; i + 1 < delivery->fields.count; i += 2)
        put_field(entry, delivery->fields.items[i], delivery->fields.items[i + 1],
                  strlen(delivery->fields.items[i + 1]));
}

/* The descriptor of a memory file in place of the bytes. 0 or -1, errno. */
static int send_file(int socket_fd, const struct oc_buf *entry)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { .bytes = { 0 } };
    struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control) };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    int fd = memfd_create("oomcast-alert", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    int rc = -1;

    if (fd < 0)
        return -1;
    if (write(fd, entry->data, entry->len_bytes) == (ssize_t)entry->len_bytes &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0) {
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(head), &fd, sizeof(fd));
        rc = sendmsg(socket_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 0 ? 0 : -1;
    }
    (void)close(fd);
    return rc;
}

/* 0 or an errno. */
static int send_entry(const char *path, const struct oc_buf *entry)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = -1, failed = 0;

    if (oc_text_copy(address.sun_path, sizeof(address.sun_path), path) < 0)
        return ENAMETOOLONG;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        failed = errno;
    else if (send(fd, entry->data, entry->len_bytes, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        failed = errno;
    if ((failed == EMSGSIZE || failed == ENOBUFS) && send_file(fd, entry) == 0)
        failed = 0;
    (void)close(fd);
    return failed;
}

void oc_journal_send(const char *path, const struct oc_wire_delivery *delivery,
                     struct oc_outcome *out)
{
    struct oc_buf entry;
    int failed = 0;

    oc_buf_init(&entry, ENTRY_MAX_BYTES);
    put_entry(&entry, delivery);
    if (entry.err < 0) {
        oc_outcome_set(out, OC_DELIVERY_LATER, "out of memory");
    } else {
        failed = send_entry(path, &entry);
        if (failed == 0)
            oc_outcome_set(out, OC_DELIVERY_SENT, "%s", "");
        else
            oc_outcome_set(out, OC_DELIVERY_LATER, "the journal at %.120s does not take it: %s",
                           path, strerror(failed));
    }
    oc_buf_clear(&entry);
}
