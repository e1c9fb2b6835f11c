/* sd_notify(3): datagrams "READY=1" … to the socket that $NOTIFY_SOCKET names. Spoken here without
 * libsystemd, whose resident memory is a tenth of ours. */
#include "daemon/os.h"

#include "base/os.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int address_of(const char *path, struct sockaddr_un *out, socklen_t *out_bytes)
{
    size_t len = strlen(path);

    if (len < 2 || len >= sizeof(out->sun_path) || (path[0] != '/' && path[0] != '@'))
        return OC_E_INVAL;
    memset(out, 0, sizeof(*out));
    out->sun_family = AF_UNIX;
    memcpy(out->sun_path, path, len);
    if (path[0] == '@')
        out->sun_path[0] = '\0'; /* the abstract namespace */
    *out_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return OC_OK;
}

/* A manager that does not listen is its own business. */
static void notify(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t address_bytes = 0;
    int fd = -1;

    if (!path || address_of(path, &address, &address_bytes) < 0)
        return;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, address_bytes);
    (void)close(fd);
}

void oc_service_ready(const char *status)
{
    char text[300];

    (void)snprintf(text, sizeof(text), "READY=1\nSTATUS=%.200s\nMAINPID=%ld", status,
                   (long)getpid());
    notify(text);
}

void oc_service_reloading(void)
{
    char text[80];

    (void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                   oc_clock_mono_ns() / 1000);
    notify(text);
}

void oc_service_stopping(void) { notify("STOPPING=1"); }

void oc_service_alive(void) { notify("WATCHDOG=1"); }

int64_t oc_service_alive_interval_ms(void)
{
    const char *pid = getenv("WATCHDOG_PID");
    const char *usec = getenv("WATCHDOG_USEC");
    char *end = NULL;
    long long value = 0;

    if (!usec || (pid && strtoll(pid, NULL, 10) != getpid()))
        return 0;
    errno = 0;
    value = strtoll(usec, &end, 10);
    if (errno != 0 || *end != '\0' || value <= 0)
        return 0;
    return value / 2000 > 0 ? value / 2000 : 1; /* twice as often as it must be */
}

/* systemd runs the program as it is. */
int oc_service_host(int (*body)(void *context), void *context) { return body(context); }
