#include "daemon/os.h"

#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>

void oc_process_init(void)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    (void)mallopt(M_ARENA_MAX, 1);              /* each further arena would hold on to pages */
    (void)mallopt(M_TRIM_THRESHOLD, 256 << 10); /* what a backlog took goes back */
    (void)mallopt(M_MMAP_THRESHOLD, 256 << 10);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)umask(0027);
}
