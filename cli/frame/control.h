/* The daemon's control socket, from the asking side: one JSON line each way. */
#ifndef OC_CLI_FRAME_CONTROL_H
#define OC_CLI_FRAME_CONTROL_H

#include "base/buf.h"
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <stddef.h>

/* Where the daemon of cli->db_path listens (Linux: oomcastd.sock beside the store). 0 or OC_E_TOOBIG. */
int oc_control_path(const struct oc_cli *cli, char *out_path, size_t out_bytes);

/* What to do where nobody answers there. Borrowed for ever. */
const char *oc_control_mend(int rc);

/*
 * Sends a line and waits for the answer's, at most timeout_ms. *out_answer is without its newline.
 * Returns 0, OC_E_NOENT (nobody listens), OC_E_DENIED, OC_E_TIMEOUT, OC_E_GONE (closed without an
 * answer), OC_E_TOOBIG, OC_E_NOMEM or OC_E_IO.
 */
int oc_control_ask(const char *path, const char *request, int timeout_ms,
                   struct oc_buf *out_answer);

/* What the daemon of a store answered. */
struct oc_control_reply {
    char socket[1100]; /* where it was asked */
    struct oc_buf text;
    cJSON *root; /* of text, an object; NULL: there is none, rc says why */
    int rc;
};

/* Asks the daemon of cli->db_path. Returns reply->rc: as oc_control_ask(), or OC_E_PARSE. The reply is
 * cleared by the caller, also after a failure. */
int oc_control_request(const struct oc_cli *cli, const char *request,
                       struct oc_control_reply *out_reply);
/* The same of something that takes longer than the daemon needs to look at itself. */
int oc_control_request_for(const struct oc_cli *cli, const char *request, int timeout_ms,
                           struct oc_control_reply *out_reply);
void oc_control_reply_clear(struct oc_control_reply *reply);

/* Whether the daemon did it ("ok": true). */
int oc_control_is_ok(const struct oc_control_reply *reply);
/* Says why the daemon did not do it. Returns OC_EXIT_ERROR. */
int oc_control_refused(const struct oc_cli *cli, const struct oc_control_reply *reply);

/* Says that there is no answer, and what to do. Returns OC_EXIT_ERROR. */
int oc_control_no_answer(const struct oc_cli *cli, const struct oc_control_reply *reply);

#endif
