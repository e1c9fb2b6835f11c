/* What the daemon says of itself: the answer to {"cmd":"status"}. */
#ifndef OC_DAEMON_STATUS_H
#define OC_DAEMON_STATUS_H

#include "base/buf.h"
#include "daemon/writer.h"

#include <stdint.h>

struct oc_daemon;

/* One JSON object, "ok": true. */
void oc_status_write(struct oc_daemon *daemon, struct oc_buf *out_json);

/* ---- its parts ---- */

/* "walks":{…}, and "last_walks":[…] of those whose last walk is longest ago. */
void oc_status_walks(struct oc_daemon *daemon, const struct oc_writer_stats *writer,
                     struct oc_buf *out);

void oc_status_i64(struct oc_buf *out, const char *key, int64_t value);
void oc_status_u64(struct oc_buf *out, const char *key, uint64_t value);
void oc_status_text(struct oc_buf *out, const char *key, const char *value);
/* The comma behind the last member gives way to the bracket. */
void oc_status_close(struct oc_buf *out, const char *closing);

#endif
