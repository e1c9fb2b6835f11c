/*
 * What a monitoring plugin says of this machine, or of a subject: one line and a state, from the store alone. What is not
 * known is never OK.
 */
#ifndef OC_CLI_COMMANDS_CHECK_LINE_H
#define OC_CLI_COMMANDS_CHECK_LINE_H

#include "cli/model/alerts.h"
#include "cli/model/outlook.h"

#include <stddef.h>
#include <stdint.h>

/* The exit codes of monitoring plugins. */
enum oc_check_state {
    OC_CHECK_OK = 0,
    OC_CHECK_WARNING = 1,
    OC_CHECK_CRITICAL = 2,
    OC_CHECK_UNKNOWN = 3
};
const char *
oc_check_state_name(enum oc_check_state state); /* "OK" "WARNING" "CRITICAL" "UNKNOWN" */

/* What it is made of. */
struct oc_check_facts {
    const char *word;              /* the subject that is asked about; NULL: all */
    const struct oc_alert *alerts; /* of it, firing and pending; the worst first */
    size_t alert_count;
    const struct oc_outlook *outlook;
    const struct oc_outlook_choice *choice; /* of the word; NULL where there is none */
    const struct oc_behind_list *behind;    /* of all receivers */
    size_t sources;                         /* that run */
    const char *ended;                      /* how the last life of the word ended; "": unknown */
};

/*
 * Appends the line without its newline: "OOMCAST WARNING - …|'alerts'=1;…". Text from outside has no control characters and
 * no '|' in it. Returns the state.
 */
enum oc_check_state oc_check_line(const struct oc_check_facts *facts, struct oc_buf *out);

/* "OOMCAST UNKNOWN - why", likewise. */
void oc_check_unknown(const char *why, struct oc_buf *out);

#endif
