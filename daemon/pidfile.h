/* What a pidfile says. Reading one is for the OS: oc_pidfile_read() in os.h. */
#ifndef OC_DAEMON_PIDFILE_H
#define OC_DAEMON_PIDFILE_H

#include <stddef.h>
#include <stdint.h>

#define OC_PIDFILE_MAX_BYTES 64 /* that are read: a number, and white space around it */

/* The number at its start; what stands behind white space is no matter. Pure. 0 or OC_E_PARSE. */
int oc_pidfile_parse(const char *text, size_t len_bytes, uint32_t *out_pid);

#endif
