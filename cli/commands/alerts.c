/* oomcast alerts: what fires, what was decided and why, what waits to be sent; and what a person does about it. */
#include "cli/cli.h"
#include "cli/commands/alerts_view.h"
#include "cli/commands/forecast_view.h"
#include "cli/frame/control.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAST_LIMIT 200 /* rows of the past that a person reads */
#define TEST_MS 70000  /* the longest time-out of a receiver, and some */
#define MAX_REQUEST 4096

/* ---- list ---- */

static int has_past(const struct oc_cli *cli)
{
    return oc_cli_has(cli, "since") || oc_cli_has(cli, "until") || oc_cli_has(cli, "all");
}

static struct oc_alert_filter filter_of(const struct oc_cli *cli, const char *word)
{
    struct oc_alert_filter filter = { .subject = word,
                                      .rule = oc_cli_text(cli, "alert", NULL),
                                      .since_unix_ms = cli->since_unix_ms,
                                      .until_unix_ms = cli->until_unix_ms };

    return filter;
}

static void say_none(struct oc_cli *cli, const char *word)
{
    if (has_past(cli))
        oc_buf_puts(&cli->out, "No alert then.\n");
    else if (word)
        oc_buf_puts(&cli->out, "No alert of that subject: nothing of it fires or is pending.\n");
    else
        oc_buf_puts(&cli->out, "No alert: nothing fires, nothing is pending.\n");
}

static int list_text(struct oc_cli *cli, const struct oc_alert_list *list, const char *word)
{
    struct oc_alert_counts counts;
    int rc = oc_alerts_table(cli, list, has_past(cli));

    if (rc)
        return rc;
    if (list->count == 0) {
        say_none(cli, word);
    } else if (!has_past(cli)) {
        oc_alert_count(list->items, list->count, &counts);
        oc_buf_putc(&cli->out, '\n');
        oc_alert_counts_text(&counts, &cli->out);
        oc_buf_puts(&cli->out, ". 'oomcast explain SUBJECT' says why it grows.\n");
    }
    if (list->left_out)
        oc_cli_note(cli, "the newest %zu; %zu more: --limit 0 shows all", list->count,
                    list->left_out);
    return OC_OK;
}

static void list_json(struct oc_cli *cli, const struct oc_alert_list *list,
                      const struct oc_outlook *outlook)
{
    struct oc_alert_counts counts;
    struct oc_json json;

    oc_alert_count(list->items, list->count, &counts);
    oc_json_init(&json, &cli->out);
    oc_json_object(&json);
    oc_json_put_bool(&json, "is_stale", outlook->is_stale);
    oc_json_key(&json, "counts");
    oc_alerts_json_counts(&json, &counts);
    oc_json_key(&json, "alerts");
    oc_alerts_json(&json, list, cli->now_unix_ms);
    oc_json_object_end(&json);
    oc_buf_putc(&cli->out, '\n');
}

static int print_list(struct oc_cli *cli, const struct oc_alert_list *list,
                      const struct oc_outlook *outlook, const char *word)
{
    if (cli->format == OC_FORMAT_JSON) {
        list_json(cli, list, outlook);
        return OC_OK;
    }
    if (cli->format == OC_FORMAT_CSV) {
        oc_alerts_csv(cli, list);
        return OC_OK;
    }
    if (!has_past(cli))
        oc_forecast_put_stale(cli, outlook);
    return list_text(cli, list, word);
}

static int list_alerts(struct oc_cli *cli, const char *word)
{
    struct oc_alert_list list = { 0 };
    struct oc_outlook outlook = { 0 };
    struct oc_alert_filter filter = filter_of(cli, word);
    oc_reader *reader = NULL;
    int rc;

    if (oc_cli_open_store(cli, &reader))
        return OC_EXIT_ERROR;
    filter.now_only = !has_past(cli);
    rc = oc_alert_list_load(&list, reader, &filter,
                            (size_t)oc_cli_number(cli, "limit", has_past(cli) ? PAST_LIMIT : 0));
    if (!rc && !has_past(cli))
        rc = oc_outlook_load(&outlook, reader, cli->now_unix_ms); /* whether it is stale */
    if (!rc && !has_past(cli))
        oc_alert_list_sort(&list);
    if (!rc)
        rc = print_list(cli, &list, &outlook, word);
    oc_outlook_clear(&outlook);
    oc_alert_list_clear(&list);
    oc_reader_close(reader);
    return rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

static int run_list(struct oc_cli *cli)
{
    return list_alerts(cli, cli->arg_count > 1 ? cli->args[1] : NULL);
}

/* ---- log, outbox ---- */

static int run_rows(struct oc_cli *cli, int is_log)
{
    uint64_t limit = (uint64_t)oc_cli_number(cli, "limit", PAST_LIMIT), left_out = 0;
    struct oc_alert_filter filter = filter_of(cli, cli->arg_count > 1 ? cli->args[1] : NULL);
    oc_reader *reader = NULL;
    int rc;

    if (oc_cli_open_store(cli, &reader))
        return OC_EXIT_ERROR;
    rc = is_log ? oc_alerts_log(cli, reader, &filter, limit, &left_out)
                : oc_alerts_outbox(cli, reader, oc_cli_has(cli, "all"), limit, &left_out);
    oc_reader_close(reader);
    if (rc)
        return oc_cli_error(cli, "%s", oc_err_text(rc));
    if (left_out)
        oc_cli_note(cli, "the newest %" PRIu64 "; %" PRIu64 " more: --limit 0 shows all", limit,
                    left_out);
    return OC_EXIT_OK;
}

static int run_log(struct oc_cli *cli) { return run_rows(cli, 1); }

static int run_outbox(struct oc_cli *cli)
{
    if (cli->arg_count > 1)
        return oc_cli_usage(cli, "'outbox' takes no subject");
    return run_rows(cli, 0);
}

/* ---- what the daemon is told ---- */

static double count_of(const struct oc_control_reply *reply, const char *key)
{
    const cJSON *count = cJSON_GetObjectItemCaseSensitive(reply->root, key);

    return cJSON_IsNumber(count) ? count->valuedouble : 0;
}

static const char *text_of(const struct oc_control_reply *reply, const char *key)
{
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(reply->root, key);

    return cJSON_IsString(text) ? text->valuestring : "";
}

/* Sends it and, as JSON is asked for, prints the answer. An exit code; the reply is the caller's to clear. */
static int tell(struct oc_cli *cli, struct oc_buf *request, struct oc_control_reply *reply)
{
    int exit_code = OC_EXIT_OK;

    memset(reply, 0, sizeof(*reply));
    oc_cli_find_store(cli);
    if (request->err)
        exit_code = oc_cli_error(cli, "%s", oc_err_text(request->err));
    else if (oc_control_request(cli, request->data, reply))
        exit_code = oc_control_no_answer(cli, reply);
    else if (!oc_control_is_ok(reply))
        exit_code = oc_control_refused(cli, reply);
    if (reply->root && cli->format == OC_FORMAT_JSON)
        oc_buf_printf(&cli->out, "%s\n", reply->text.data);
    return exit_code;
}

/* {"cmd":WORD,KEY:TEXT}; key NULL: the word alone. */
static void write_request(struct oc_buf *request, const char *word, const char *key,
                          const char *text)
{
    oc_buf_init(request, MAX_REQUEST);
    oc_buf_puts(request, "{\"cmd\":");
    oc_buf_json_string(request, word);
    if (key) {
        oc_buf_printf(request, ",\"%s\":", key);
        oc_buf_json_string(request, text);
    }
    oc_buf_putc(request, '}');
}

static int is_fingerprint(const char *word)
{
    return strlen(word) == 16 && strspn(word, "0123456789abcdef") == 16;
}

static int ack_one(struct oc_cli *cli, const char *word)
{
    struct oc_control_reply reply;
    struct oc_buf request;
    int exit_code;

    write_request(&request, "ack", is_fingerprint(word) ? "fingerprint" : "subject", word);
    exit_code = tell(cli, &request, &reply);
    if (!exit_code && count_of(&reply, "acked") < 1)
        exit_code =
            oc_cli_error(cli, "nothing of %s fires; 'oomcast alerts' lists what does", word);
    else if (!exit_code && cli->format != OC_FORMAT_JSON)
        oc_buf_printf(&cli->out, "%.0f acknowledged: no reminders; its end is told.\n",
                      count_of(&reply, "acked"));
    oc_control_reply_clear(&reply);
    oc_buf_clear(&request);
    return exit_code;
}

static int run_ack(struct oc_cli *cli)
{
    int exit_code = OC_EXIT_OK;

    if (cli->arg_count < 2)
        return oc_cli_usage(cli, "ack what? a fingerprint or a subject of 'oomcast alerts'");
    for (size_t i = 1; i < cli->arg_count; i++) {
        if (ack_one(cli, cli->args[i]) != OC_EXIT_OK)
            exit_code = OC_EXIT_ERROR;
    }
    return exit_code;
}

/* "sent: answer 200 after 35 ms", and what the receiver wrote. */
static void say_test(struct oc_cli *cli, const struct oc_control_reply *reply)
{
    static const char *const keys[] = { "why", "answer" };
    double status = count_of(reply, "status");
    char took[40];

    oc_buf_escaped(&cli->out, text_of(reply, "outcome"));
    if (status > 0)
        oc_buf_printf(&cli->out, ": answer %.0f", status);
    oc_buf_printf(&cli->out, " after %s\n",
                  oc_value_span((int64_t)count_of(reply, "took_ms"), took, sizeof(took)));
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!*text_of(reply, keys[i]))
            continue;
        oc_buf_escaped(&cli->out, text_of(reply, keys[i]));
        oc_buf_putc(&cli->out, '\n');
    }
}

/* A refusal has no outcome; a receiver that did not take it has one, and an answer to show. */
static int run_test(struct oc_cli *cli)
{
    struct oc_control_reply reply;
    struct oc_buf request;
    int exit_code = OC_EXIT_OK;

    if (cli->arg_count != 2)
        return oc_cli_usage(cli, "test which receiver? name one of the config");
    write_request(&request, "test", "receiver", cli->args[1]);
    oc_cli_find_store(cli);
    if (oc_control_request_for(cli, request.data ? request.data : "", TEST_MS, &reply))
        exit_code = oc_control_no_answer(cli, &reply);
    else if (!oc_control_is_ok(&reply) && !*text_of(&reply, "outcome"))
        exit_code = oc_control_refused(cli, &reply);
    else if (strcmp(text_of(&reply, "outcome"), "sent") != 0)
        exit_code = OC_EXIT_ERROR;
    if (reply.root && cli->format == OC_FORMAT_JSON)
        oc_buf_printf(&cli->out, "%s\n", reply.text.data);
    else if (reply.root && *text_of(&reply, "outcome"))
        say_test(cli, &reply);
    oc_control_reply_clear(&reply);
    oc_buf_clear(&request);
    return exit_code;
}

static int run_retry(struct oc_cli *cli)
{
    struct oc_control_reply reply;
    struct oc_buf request;
    int exit_code;

    if (cli->arg_count > 2)
        return oc_cli_usage(cli, "one receiver, or none: all of them");
    write_request(&request, "retry", cli->arg_count > 1 ? "receiver" : NULL,
                  cli->arg_count > 1 ? cli->args[1] : NULL);
    exit_code = tell(cli, &request, &reply);
    if (!exit_code && cli->format != OC_FORMAT_JSON)
        oc_buf_printf(&cli->out, "%.0f tried again now; 'oomcast alerts outbox' shows the rest.\n",
                      count_of(&reply, "tried"));
    oc_control_reply_clear(&reply);
    oc_buf_clear(&request);
    return exit_code;
}

/* ---- the command ---- */

/* A subject, unless it looks like an action that was written wrong. */
static int run_word(struct oc_cli *cli, const char *const *words)
{
    const char *nearest = oc_text_nearest(cli->args[0], words);

    if (nearest)
        return oc_cli_usage(cli, "no action '%s'; did you mean '%s'? A subject: alerts list %s",
                            cli->args[0], nearest, cli->args[0]);
    if (cli->arg_count > 1)
        return oc_cli_usage(cli, "one subject, or a glob of several");
    return list_alerts(cli, cli->args[0]);
}

static int run_alerts(struct oc_cli *cli)
{
    static const struct {
        const char *word;
        int (*run)(struct oc_cli *);
    } actions[] = { { "list", run_list }, { "log", run_log },     { "ack", run_ack },
                    { "test", run_test }, { "retry", run_retry }, { "outbox", run_outbox } };
    static const char *const words[] = { "list", "log", "ack", "test", "retry", "outbox", NULL };

    if (cli->arg_count == 0)
        return list_alerts(cli, NULL);
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(cli->args[0], actions[i].word) == 0)
            return actions[i].run(cli);
    }
    return run_word(cli, words);
}

static const struct oc_cli_option alerts_options[] = {
    { "all", 'a', OC_CLI_FLAG, NULL, "those that are over too; of the outbox what was sent", NULL },
    { "alert", 0, OC_CLI_TEXT, "GLOB", "of rules of that name alone", NULL },
    { "limit", 'n', OC_CLI_INT, "N", "so many of the past, the newest; 200; 0: all", NULL },
    { 0 },
};

static const struct oc_cli_example alerts_examples[] = {
    { "oomcast alerts", "what fires or is pending now, the worst first" },
    { "oomcast alerts 'unit:*' --since 7d", "what fired of services in the last week" },
    { "oomcast alerts log unit:shop.service", "each decision, with its reason" },
    { "oomcast alerts ack unit:shop.service", "no more reminders: someone has it" },
    { "oomcast alerts test ops", "send a made alert to a receiver, and see what it answers" },
    { "oomcast alerts outbox", "what has not been taken by its receiver yet, and why" },
    { "oomcast alerts retry ops", "try that again now" },
    { "oomcast alerts --json | jq '.alerts[] | select(.severity == \"critical\") | .subject'",
      "for a script" },
    { 0 },
};

const struct oc_cli_command oc_cmd_alerts = {
    .name = "alerts",
    .summary = "what fires, why it was told or not, and what waits to be sent",
    .usage = "[OPTION]... [ACTION [SUBJECT|RECEIVER|WHICH...]]",
    .text = "Without an action: what fires or is pending now, the worst first. IN is how long it "
            "still takes to the limit, as likely as not. Muted ones (silenced, inhibited by a "
            "worse alert, in maintenance, a planned end comes first) fire but are told to "
            "nobody. With --since, --until or --all also those that are over: resolved, or died: "
            "the limit came first.\n\n"
            "ACTION is list [SUBJECT], log [SUBJECT], outbox, ack WHICH..., test RECEIVER, retry "
            "[RECEIVER]. The first three read the store, also with no daemon; the others ask the "
            "daemon. WHICH is a fingerprint, or a subject (a glob of several). A WORD that "
            "is no action is a subject.",
    .exits = "1 also where nothing fires that could be acknowledged, or a receiver did not take a "
             "test",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_RANGE | OC_CLI_HAS_JSON | OC_CLI_HAS_CSV,
    .options = alerts_options,
    .examples = alerts_examples,
    .max_args = OC_CLI_MAX_ARGS,
    .run = run_alerts,
};
