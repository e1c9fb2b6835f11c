/* How alerts are written: what fires, what was decided, what waits to be sent; as tables, JSON, CSV. */
#ifndef OC_CLI_COMMANDS_ALERTS_VIEW_H
#define OC_CLI_COMMANDS_ALERTS_VIEW_H

#include "cli/cli.h"
#include "cli/model/alerts.h"
#include "cli/show/json.h"

/* Alerts in their order. has_past: ended ones may be among them. 0 or a code. */
int oc_alerts_table(struct oc_cli *cli, const struct oc_alert_list *list, int has_past);
void oc_alerts_csv(struct oc_cli *cli, const struct oc_alert_list *list);
/* As an array, the value of a key that was just written. */
void oc_alerts_json(struct oc_json *json, const struct oc_alert_list *list, int64_t now_unix_ms);
void oc_alerts_json_mutes(struct oc_json *json, unsigned mutes); /* an array of words, likewise */
void oc_alerts_json_counts(struct oc_json *json, const struct oc_alert_counts *counts);

/* The log and the outbox, straight from the reader; only the newest `limit` rows (0: all). 0 or a code, in
 * *out_left_out how many are older. */
int oc_alerts_log(struct oc_cli *cli, oc_reader *reader, const struct oc_alert_filter *filter,
                  uint64_t limit, uint64_t *out_left_out);
int oc_alerts_outbox(struct oc_cli *cli, oc_reader *reader, int want_done, uint64_t limit,
                     uint64_t *out_left_out);

/* "0123456789abcdef". out_bytes ≥ 17. Returned. */
const char *oc_alerts_fingerprint(uint64_t fingerprint, char *out, size_t out_bytes);

#endif
