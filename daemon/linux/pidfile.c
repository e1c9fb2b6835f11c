#include "daemon/pidfile.h"

#include "daemon/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its start, of a regular file: a FIFO, a device or a socket may hang or never end. */
static int read_start(const char *path, char out[OC_PIDFILE_MAX_BYTES], size_t *out_bytes)
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
        got_bytes = read(fd, out, OC_PIDFILE_MAX_BYTES);
        rc = got_bytes < 0 ? oc_err_from_errno(errno) : OC_OK;
    }
    (void)close(fd);
    if (rc == OC_OK)
        *out_bytes = (size_t)got_bytes;
    return rc;
}

int oc_pidfile_read(const char *path, uint32_t *out_pid)
{
    char text[OC_PIDFILE_MAX_BYTES];
    size_t len_bytes = 0;
    int rc = read_start(path, text, &len_bytes);

    return rc < 0 ? rc : oc_pidfile_parse(text, len_bytes, out_pid);
}
