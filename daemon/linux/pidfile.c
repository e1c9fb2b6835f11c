#include "daemon/os.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_BYTES 64 /* a number, and what white space somebody put around it */

/* Up to MAX_BYTES of a regular file: a FIFO, a device or a socket may hang or never end. */
static int read_start(const char *path, char out[MAX_BYTES + 1], size_t *out_bytes)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;
    ssize_t got_bytes = 0;
    int rc = OC_OK;

    if (fd < 0)
        return oc_err_from_errno(errno);
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        rc = OC_E_INVAL;
    } else {
        got_bytes = read(fd, out, MAX_BYTES);
        rc = got_bytes < 0 ? oc_err_from_errno(errno) : OC_OK;
    }
    (void)close(fd);
    if (rc == OC_OK)
        *out_bytes = (size_t)got_bytes;
    return rc;
}

int oc_pidfile_read(const char *path, uint32_t *out_pid)
{
    char text[MAX_BYTES + 1];
    size_t len_bytes = 0, begin = 0;
    uint64_t pid = 0;
    int rc = read_start(path, text, &len_bytes);

    if (rc < 0)
        return rc;
    text[len_bytes] = '\0';
    begin = strspn(text, " \t\r\n");
    text[begin + strcspn(text + begin, " \t\r\n")] = '\0'; /* what stands behind it is no matter */
    if (oc_text_u64(text + begin, &pid) < 0 || pid == 0 || pid > INT32_MAX)
        return OC_E_PARSE;
    *out_pid = (uint32_t)pid;
    return OC_OK;
}
