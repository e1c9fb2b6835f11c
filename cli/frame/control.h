/* The daemon's control socket, from the asking side: one JSON line each way. */
#ifndef OC_CLI_FRAME_CONTROL_H
#define OC_CLI_FRAME_CONTROL_H

#include "base/buf.h"
#include "cli/cli.h"

#include <stddef.h>

/* Where the daemon of cli->db_path listens (Linux: oomcastd.sock beside the store). 0 or OC_E_TOOBIG. */
int oc_control_path(const struct oc_cli *cli, char *out_path, size_t out_bytes);

/*
 * Sends a line and waits for the answer's, at most timeout_ms. *out_answer is without its newline.
 * Returns 0, OC_E_NOENT (nobody listens), OC_E_DENIED, OC_E_TIMEOUT, OC_E_GONE (closed without an
 * answer), OC_E_TOOBIG, OC_E_NOMEM or OC_E_IO.
 */
int oc_control_ask(const char *path, const char *request, int timeout_ms,
                   struct oc_buf *out_answer);

#endif
