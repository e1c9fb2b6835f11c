/* The text of an e-mail: headers and body as they go over the wire. Pure. */
#ifndef OC_NOTIFY_MAIL_TEXT_H
#define OC_NOTIFY_MAIL_TEXT_H

#include "alert/wire.h"
#include "base/buf.h"

#include <stdint.h>

/* From, To, Date, the delivery's fields (Subject, Message-ID …), the body with CRLF. Words with other than ASCII go as
 * RFC 2047 says; a line end in a field is a blank: none can add a header. out->err: OC_E_NOMEM, OC_E_TOOBIG. */
void oc_mail_write(const struct oc_receiver *receiver, const struct oc_wire_delivery *delivery,
                   int64_t now_unix_ms, struct oc_buf *out);

#endif
