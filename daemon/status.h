/* The answer to the control command "status": one JSON object on one line. */
#ifndef OC_DAEMON_STATUS_H
#define OC_DAEMON_STATUS_H

#include "base/buf.h"

struct oc_daemon;

void oc_status_write(struct oc_daemon *daemon, struct oc_buf *out_json);

#endif
