/*
 * The control channel: a unix socket beside the store (a named pipe on Windows), one JSON line
 * each way (request.h has the words). At most 16 clients of 64 KiB a line; a client that says or
 * takes nothing for 10 s is dropped, so none can hold anything up.
 */
#ifndef OC_DAEMON_CONTROL_H
#define OC_DAEMON_CONTROL_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

struct oc_daemon;
typedef struct oc_control oc_control;

#define OC_CONTROL_MAX_CLIENTS 16

#define OC_CONTROL_TIMEOUT_MS 10000

/* Listens. timeout_ms: OC_CONTROL_TIMEOUT_MS but in tests. 0, OC_E_TOOBIG (the path is too long for a socket), OC_E_DENIED, OC_E_IO, OC_E_NOMEM. */
int oc_control_open(struct oc_daemon *daemon, uint64_t timeout_ms, oc_control **out_control,
                    struct oc_detail *detail);

/*
 * The answer to a request that could not be answered at once, with the client's number as the request
 * came with it. A client that is gone by now hears nothing.
 */
void oc_control_reply(oc_control *control, uint64_t client, const struct oc_buf *answer);

/* Ends all connections; freed once the loop ran. NULL is allowed. */
void oc_control_close(oc_control *control);

#endif
