/*
 * The words of the control channel. A request is one line of JSON, so is the answer:
 *
 *   {"cmd":"status"}               the daemon's state
 *   {"cmd":"reload"}               reads the config again
 *   {"cmd":"walk-now","pid":123}   walks the mappings of a process; without pid of all
 *   {"cmd":"stop"}                 ends the daemon with everything saved
 *
 * Answers have "ok": true, or false with "error" (a word) and "text" (a sentence). All but status
 * are for the daemon's own user and administrators.
 */
#ifndef OC_DAEMON_REQUEST_H
#define OC_DAEMON_REQUEST_H

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define OC_REQUEST_MAX_BYTES (64u << 10)

enum oc_command { OC_COMMAND_STATUS, OC_COMMAND_RELOAD, OC_COMMAND_WALK_NOW, OC_COMMAND_STOP };

struct oc_request {
    enum oc_command command;
    uint32_t pid; /* 0: none given */
};

/* Pure. Returns 0, OC_E_PARSE (no JSON object with "cmd"), OC_E_NOTSUP (an unknown command or key), OC_E_INVAL (a value out of range), OC_E_NOMEM; detail says what. */
int oc_request_parse(const char *line, size_t len_bytes, struct oc_request *out_request,
                     struct oc_detail *detail);

/* Whether a command changes something, so that only the daemon's user may give it. */
int oc_request_changes(const struct oc_request *request);

/* {"ok":false,"error":WORD,"text":TEXT} */
void oc_request_refuse(struct oc_buf *out_json, const char *word, const char *text);

#endif
