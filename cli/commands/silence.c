/* oomcast silence: alerts that are not to be told for a while. */
#include "cli/cli.h"
#include "cli/frame/control.h"
#include "cli/model/silences.h"
#include "cli/show/json.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_REQUEST 16384
#define MAX_FOR_MS (INT64_C(366) * 86400 * 1000)

/* ---- add ---- */

/* Who writes: --author, else who is logged in, behind sudo too. */
static void set_author(const struct oc_cli *cli, struct oc_silence *silence)
{
    static const char *const names[] = { "SUDO_USER", "USER", "LOGNAME", "USERNAME" };
    const char *author = oc_cli_text(cli, "author", NULL);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !(author && *author); i++)
        author = getenv(names[i]);
    if (!author || !*author)
        author = "unknown";
    oc_text_copy_utf8(silence->author, sizeof(silence->author), author, strlen(author));
}

/* What is wrong with the words of an `add`; OC_EXIT_OK: nothing. */
static int check_words(struct oc_cli *cli)
{
    int64_t for_ms = oc_cli_number(cli, "for", 0);

    if (cli->arg_count < 2)
        return oc_cli_usage(cli, "silence what? subject=unit:shop.service, say");
    if (!oc_cli_has(cli, "for"))
        return oc_cli_usage(cli, "for how long? --for 2h");
    if (for_ms <= 0 || for_ms > MAX_FOR_MS)
        return oc_cli_usage(cli, "--for takes more than nothing, and at most a year");
    if (!*oc_cli_text(cli, "comment", ""))
        return oc_cli_usage(cli, "why? --comment TEXT tells the others");
    return OC_EXIT_OK;
}

static void say_added(struct oc_cli *cli, const struct oc_control_reply *reply)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(reply->root, "id");
    int64_t end_ms = cli->now_unix_ms + oc_cli_number(cli, "for", 0);
    char time[32];

    oc_buf_printf(&cli->out,
                  "Silence %.0f until %s. What still fires then is told; 'oomcast silence end "
                  "%.0f' ends it.\n",
                  cJSON_IsNumber(id) ? id->valuedouble : 0,
                  oc_timespec_short(end_ms, cli->now_unix_ms, time, sizeof(time)),
                  cJSON_IsNumber(id) ? id->valuedouble : 0);
}

/* Sends a request and prints what came of it. An exit code. */
static int tell(struct oc_cli *cli, const struct oc_buf *request,
                void (*say)(struct oc_cli *, const struct oc_control_reply *))
{
    struct oc_control_reply reply = { 0 };
    int exit_code = OC_EXIT_OK;

    oc_cli_find_store(cli);
    if (request->err)
        return oc_cli_error(cli, "%s", oc_err_text(request->err));
    if (oc_control_request(cli, request->data, &reply))
        exit_code = oc_control_no_answer(cli, &reply);
    else if (!oc_control_is_ok(&reply))
        exit_code = oc_control_refused(cli, &reply);
    if (reply.root && cli->format == OC_FORMAT_JSON)
        oc_buf_printf(&cli->out, "%s\n", reply.text.data);
    else if (!exit_code)
        say(cli, &reply);
    oc_control_reply_clear(&reply);
    return exit_code;
}

static int run_add(struct oc_cli *cli)
{
    struct oc_silence silence = { 0 };
    struct oc_detail detail = { 0 };
    struct oc_buf request;
    const char *comment = oc_cli_text(cli, "comment", "");
    int exit_code = check_words(cli);

    if (exit_code)
        return exit_code;
    for (size_t i = 1; i < cli->arg_count; i++) {
        if (oc_silence_add_matcher(&silence, cli->args[i], &detail))
            return oc_cli_usage(cli, "%s", detail.text);
    }
    set_author(cli, &silence);
    oc_text_copy_utf8(silence.comment, sizeof(silence.comment), comment, strlen(comment));
    oc_buf_init(&request, MAX_REQUEST);
    oc_silence_request(&silence, oc_cli_number(cli, "for", 0), &request);
    exit_code = tell(cli, &request, say_added);
    oc_buf_clear(&request);
    return exit_code;
}

/* ---- end ---- */

static void say_ended(struct oc_cli *cli, const struct oc_control_reply *reply)
{
    (void)reply;
    oc_buf_puts(&cli->out, "Ended. What still fires is told now.\n");
}

static int run_end(struct oc_cli *cli)
{
    struct oc_buf request;
    uint64_t id = 0;
    int exit_code;

    if (cli->arg_count != 2)
        return oc_cli_usage(cli, "end which? the ID of 'oomcast silence list'");
    if (oc_text_u64(cli->args[1], &id) || id == 0)
        return oc_cli_usage(cli, "'%s' is no ID of a silence", cli->args[1]);
    oc_buf_init(&request, MAX_REQUEST);
    oc_buf_printf(&request, "{\"cmd\":\"unsilence\",\"id\":%" PRIu64 "}", id);
    exit_code = tell(cli, &request, say_ended);
    oc_buf_clear(&request);
    return exit_code;
}

/* ---- list ---- */

struct listing {
    struct oc_cli *cli;
    struct oc_table *table; /* or */
    struct oc_json *json;
    int all;
};

static void put_cells(const struct listing *listing, const struct oc_silence *silence)
{
    int64_t now_ms = listing->cli->now_unix_ms;
    struct oc_buf matchers;
    char text[40];

    oc_buf_init(&matchers, 4096);
    oc_silence_matchers_text(silence, &matchers);
    oc_table_cellf(listing->table, "%" PRIu64, silence->id);
    oc_table_cell(listing->table,
                  oc_timespec_short(silence->end_unix_ms, now_ms, text, sizeof(text)));
    oc_table_cell(listing->table,
                  oc_silence_is_active(silence, now_ms)
                      ? oc_value_span(silence->end_unix_ms - now_ms, text, sizeof(text))
                      : NULL);
    oc_table_cell(listing->table, matchers.data);
    oc_table_cell(listing->table, silence->author);
    oc_table_cell(listing->table, silence->comment);
    oc_buf_clear(&matchers);
}

static void put_json(struct oc_json *json, const struct oc_silence *silence, int64_t now_unix_ms)
{
    oc_json_object(json);
    oc_json_put_u64(json, "id", silence->id);
    oc_json_put_bool(json, "is_active", oc_silence_is_active(silence, now_unix_ms));
    oc_json_put_time(json, "begin", silence->begin_unix_ms);
    oc_json_put_time(json, "end", silence->end_unix_ms);
    oc_json_put_str(json, "author", silence->author);
    oc_json_put_str(json, "comment", silence->comment);
    oc_json_key(json, "matchers");
    oc_json_array(json);
    for (uint32_t i = 0; i < silence->matcher_count && i < OC_SILENCE_MATCHERS_MAX; i++) {
        oc_json_object(json);
        oc_json_put_str(json, "name", silence->matchers[i].name);
        oc_json_put_str(json, "glob", silence->matchers[i].glob);
        oc_json_put_bool(json, "is_negative", silence->matchers[i].is_negative);
        oc_json_object_end(json);
    }
    oc_json_array_end(json);
    oc_json_object_end(json);
}

static int take_silence(const struct oc_silence *silence, void *context)
{
    struct listing *listing = context;

    if (!listing->all && silence->end_unix_ms <= listing->cli->now_unix_ms)
        return 0;
    if (listing->json)
        put_json(listing->json, silence, listing->cli->now_unix_ms);
    else
        put_cells(listing, silence);
    return 0;
}

static int list_json(struct listing *listing, oc_reader *reader)
{
    struct oc_buf *out = &listing->cli->out;
    struct oc_json json;
    int rc;

    oc_json_init(&json, out);
    listing->json = &json;
    oc_json_object(&json);
    oc_json_key(&json, "silences");
    oc_json_array(&json);
    rc = oc_reader_silences(reader, take_silence, listing);
    oc_json_array_end(&json);
    oc_json_object_end(&json);
    oc_buf_putc(out, '\n');
    return rc;
}

static int list_table(struct listing *listing, oc_reader *reader)
{
    static const struct oc_column columns[] = {
        { "ID", OC_ALIGN_RIGHT, 0, 0 },
        { "ENDS", OC_ALIGN_LEFT, 0, 0 },
        { "LEFT", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
        { "MATCHERS", OC_ALIGN_LEFT, 0, OC_SHRINKS },
        { "AUTHOR", OC_ALIGN_LEFT, 20, OC_GOES(1) },
        { "COMMENT", OC_ALIGN_LEFT, 0, OC_SHRINKS },
        { 0 },
    };
    struct oc_cli *cli = listing->cli;
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    listing->table = &table;
    rc = oc_reader_silences(reader, take_silence, listing);
    if (rc >= 0 && table.cell_count)
        rc = oc_table_print(&table, &style, &cli->out);
    else if (rc >= 0)
        oc_buf_puts(&cli->out, listing->all ? "There was no silence.\n"
                                            : "Nothing is silenced (--all: past ones too).\n");
    oc_table_clear(&table);
    return rc;
}

static int run_list(struct oc_cli *cli)
{
    struct listing listing = { .cli = cli, .all = oc_cli_has(cli, "all") };
    oc_reader *reader = NULL;
    int rc;

    if (cli->arg_count > 1)
        return oc_cli_usage(cli, "'list' takes no word");
    if (oc_cli_open_store(cli, &reader))
        return OC_EXIT_ERROR;
    rc = cli->format == OC_FORMAT_JSON ? list_json(&listing, reader) : list_table(&listing, reader);
    oc_reader_close(reader);
    return rc < 0 ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

/* ---- the command ---- */

static int run_silence(struct oc_cli *cli)
{
    static const char *const words[] = { "add", "list", "end", NULL };
    const char *word = cli->arg_count > 0 ? cli->args[0] : "list";
    const char *nearest;

    if (strcmp(word, "add") == 0)
        return run_add(cli);
    if (strcmp(word, "list") == 0)
        return run_list(cli);
    if (strcmp(word, "end") == 0)
        return run_end(cli);
    nearest = oc_text_nearest(word, words);
    if (nearest)
        return oc_cli_usage(cli, "no action '%s'; did you mean '%s'?", word, nearest);
    return oc_cli_usage(cli, "no action '%s'; there are add, list and end", word);
}

static const struct oc_cli_option silence_options[] = {
    { "for", 0, OC_CLI_DURATION, "DURATION", "add: how long, from now on", NULL },
    { "comment", 'c', OC_CLI_TEXT, "TEXT", "add: why", NULL },
    { "author", 0, OC_CLI_TEXT, "NAME", "add: who; else who is logged in", NULL },
    { "all", 'a', OC_CLI_FLAG, NULL, "list: those that are over too", NULL },
    { 0 },
};

static const struct oc_cli_example silence_examples[] = {
    { "oomcast silence add subject=unit:shop.service --for 2h --comment deploy",
      "nobody is told of it for two hours" },
    { "oomcast silence add 'pool:*' severity!=critical --for 8h --comment night",
      "of all pools, but for critical ones" },
    { "oomcast silence list", "what is silenced, by whom and for how long" },
    { "oomcast silence end 3", "what still fires is told at once" },
    { 0 },
};

const struct oc_cli_command oc_cmd_silence = {
    .name = "silence",
    .summary = "have alerts not told for a while",
    .usage = "[OPTION]... [add MATCHER... | list | end ID]",
    .text = "A MATCHER is NAME=GLOB or NAME!=GLOB; NAME is subject, alertname, severity or a label "
            "of the config. A word without a name is a subject. All of a silence must match. "
            "Alerts go on underneath: 'oomcast alerts' shows them as silenced, and what still "
            "fires at the end is told then. Who was told that an alert fires is told its end, "
            "silenced or not.\n\n"
            "list reads the store; add and end ask the daemon. Windows that recur belong in the "
            "config: \"maintenance\".",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON,
    .options = silence_options,
    .examples = silence_examples,
    .max_args = OC_CLI_MAX_ARGS,
    .run = run_silence,
};
