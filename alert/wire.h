/*
 * The words of the pipe between oomcastd and oomcast-notify: one JSON object a line, both ways; strict on
 * both ends (unknown words are refused, lines are bounded), fuzzed on both ends. Pure.
 *
 *   to notify    {"v":1,"do":"receiver",…}  how to reach one, secrets included: they are nowhere else; not whom to tell of what
 *                {"v":1,"do":"forget"}      all receivers: new ones follow (a reload)
 *                {"v":1,"do":"deliver","id":…,"receiver":…,"body":…,"content_type":…,"fields":{…},"url":N}
 *                {"v":1,"do":"quit"}        ends once what is under way is answered, 5 s at most
 *   from notify  {"v":1,"is":"ready","version":…}
 *                {"v":1,"is":"result","id":…,"outcome":"sent|later|slow|never","status":…,"retry_after_ms":…,"why":…,"answer":…,"took_ms":…}
 *                {"v":1,"is":"note","level":"warn","text":…}   for the daemon's log
 */
#ifndef OC_ALERT_WIRE_H
#define OC_ALERT_WIRE_H

#include "alert/dispatch.h"
#include "base/buf.h"
#include "base/rule.h"

#include <stddef.h>
#include <stdint.h>

#define OC_WIRE_LINE_MAX (1u << 20)
#define OC_WIRE_ANSWER_MAX                                                                         \
    512 /* bytes of an answer's body that are kept, for `alerts test` and reasons */

enum oc_wire_do { OC_WIRE_RECEIVER = 1, OC_WIRE_FORGET, OC_WIRE_DELIVER, OC_WIRE_QUIT };

struct oc_wire_delivery {
    char id[OC_OUTBOX_ID_BYTES]; /* "level-…", "beat-…", "test-…" where it is of no outbox row */
    char receiver[OC_RULE_NAME_BYTES];
    uint32_t url; /* index in the receiver's urls */
    char *body;   /* owned; NUL-terminated text; NULL: none (heartbeat) */
    size_t body_bytes; /* of it, without the NUL */
    char content_type[64];    /* "" none */
    struct oc_strings fields; /* name, value, … */
};
struct oc_wire_command {
    enum oc_wire_do what;
    struct oc_receiver receiver;      /* RECEIVER */
    struct oc_wire_delivery delivery; /* DELIVER */
};
void oc_wire_command_clear(struct oc_wire_command *command); /* secrets are overwritten first */
/* One line without its newline. 0, OC_E_PARSE, OC_E_NOTSUP (another version), OC_E_TOOBIG, OC_E_NOMEM; *detail says what. */
int oc_wire_command_parse(const char *line, size_t len_bytes, struct oc_wire_command *out_command,
                          struct oc_detail *detail);
/* Appends a line with its newline. out->err: OC_E_NOMEM, OC_E_TOOBIG (then nothing was appended). */
void oc_wire_command_write(const struct oc_wire_command *command, struct oc_buf *out);

enum oc_wire_is { OC_WIRE_READY = 1, OC_WIRE_RESULT, OC_WIRE_NOTE };
struct oc_wire_report {
    enum oc_wire_is what;
    char version[32]; /* READY */
    char id[OC_OUTBOX_ID_BYTES];
    enum oc_delivery_outcome outcome;
    int32_t status;
    int64_t retry_after_ms, took_ms;
    char why[OC_ALERT_WHY_BYTES];
    char answer[OC_WIRE_ANSWER_MAX + 1];
    char level[8], text[512]; /* NOTE */
};
int oc_wire_report_parse(const char *line, size_t len_bytes, struct oc_wire_report *out_report,
                         struct oc_detail *detail);
void oc_wire_report_write(const struct oc_wire_report *report, struct oc_buf *out);

#endif
