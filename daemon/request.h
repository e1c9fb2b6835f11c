/*
 * The words of the control channel. A request is one line of JSON, so is the answer:
 *
 *   {"cmd":"status"}               the daemon's state
 *   {"cmd":"reload"}               reads the config again
 *   {"cmd":"walk-now","pid":123}   walks the mappings of a process; without pid of all
 *   {"cmd":"stop"}                 ends the daemon with everything saved
 *   {"cmd":"alerts"}               what fires or is about to, the worst first
 *   {"cmd":"silences"}             those that have not ended
 *   {"cmd":"silence","match":["subject=unit:*","severity!=critical"],"for":"2h","author":"ann","comment":"deploy"}
 *                                  "end_unix_ms" in place of "for", "begin_unix_ms" for a later beginning
 *   {"cmd":"unsilence","id":7}     ends it now
 *   {"cmd":"ack","fingerprint":"0123456789abcdef"}   someone has it: no reminders; or "subject":GLOB, or of all
 *   {"cmd":"test","receiver":"ops"}                  sends a made alert; answered once the receiver answered
 *   {"cmd":"retry","receiver":"ops"}                 what is parked or waits is tried now; without receiver of all
 *
 * Answers have "ok": true, or false with "error" (a word) and "text" (a sentence). What changes
 * something is for the daemon's own user and administrators.
 */
#ifndef OC_DAEMON_REQUEST_H
#define OC_DAEMON_REQUEST_H

#include "base/alert.h"
#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define OC_REQUEST_MAX_BYTES (64u << 10)

enum oc_command {
    OC_COMMAND_STATUS,
    OC_COMMAND_RELOAD,
    OC_COMMAND_WALK_NOW,
    OC_COMMAND_STOP,
    OC_COMMAND_ALERTS,
    OC_COMMAND_SILENCES,
    OC_COMMAND_SILENCE,
    OC_COMMAND_UNSILENCE,
    OC_COMMAND_ACK,
    OC_COMMAND_TEST,
    OC_COMMAND_RETRY
};

struct oc_request {
    enum oc_command command;
    uint32_t pid;         /* 0: none given */
    uint64_t id;          /* UNSILENCE */
    uint64_t fingerprint; /* ACK; 0: none given */
    int64_t for_ms;       /* SILENCE; 0: its end is given */
    char subject[OC_ALERT_SUBJECT_BYTES]; /* ACK: a glob; "": none given */
    char receiver[OC_RULE_NAME_BYTES];    /* TEST, RETRY; "": none given */
    struct oc_silence silence;            /* SILENCE; times that were not given are 0 */
};

/* Pure. Returns 0, OC_E_PARSE (no JSON object with "cmd"), OC_E_NOTSUP (an unknown command or key), OC_E_INVAL (a value out of range, or one that is missing), OC_E_TOOBIG, OC_E_NOMEM; detail says what. */
int oc_request_parse(const char *line, size_t len_bytes, struct oc_request *out_request,
                     struct oc_detail *detail);

/* Whether a command changes something, so that only the daemon's user may give it. */
int oc_request_changes(const struct oc_request *request);

/* {"ok":false,"error":WORD,"text":TEXT} */
void oc_request_refuse(struct oc_buf *out_json, const char *word, const char *text);

#endif
