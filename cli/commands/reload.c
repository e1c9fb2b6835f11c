/* oomcast reload, walk-now: what the daemon is told to do. */
#include "cli/cli.h"
#include "cli/frame/control.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

/* Says to a person what the daemon's answer means. */
typedef void say_done(struct oc_buf *out, const cJSON *root);

static int command(struct oc_cli *cli, const char *request, say_done *say)
{
    struct oc_control_reply reply;
    int exit_code = OC_EXIT_OK;

    oc_cli_find_store(cli);
    if (oc_control_request(cli, request, &reply))
        exit_code = oc_control_no_answer(cli, &reply);
    else if (!oc_control_is_ok(&reply))
        exit_code = oc_control_refused(cli, &reply);
    if (reply.root && cli->format == OC_FORMAT_JSON)
        oc_buf_printf(&cli->out, "%s\n", reply.text.data);
    else if (!exit_code)
        say(&cli->out, reply.root);
    oc_control_reply_clear(&reply);
    return exit_code;
}

static void say_reloaded(struct oc_buf *out, const cJSON *root)
{
    (void)root;
    oc_buf_puts(out, "The daemon read its config again.\n");
}

static int run_reload(struct oc_cli *cli)
{
    return command(cli, "{\"cmd\":\"reload\"}", say_reloaded);
}

const struct oc_cli_command oc_cmd_reload = {
    .name = "reload",
    .summary = "have the daemon read its config again; a bad one is refused",
    .usage = "[OPTION]...",
    .exits = "1 also where the new config is bad: the daemon keeps the old one",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON,
    .run = run_reload,
};

static int count_of(const cJSON *root, const char *key)
{
    const cJSON *count = cJSON_GetObjectItemCaseSensitive(root, key);

    return cJSON_IsNumber(count) ? count->valueint : 0;
}

static void say_walks(struct oc_buf *out, const cJSON *root)
{
    int walks = count_of(root, "walks"), fresh = count_of(root, "fresh");

    oc_buf_printf(out, "%d %s under way", walks, walks == 1 ? "walk is" : "walks are");
    if (fresh > 0)
        oc_buf_printf(out, "; %d done less than 10 s ago, left in peace", fresh);
    oc_buf_puts(out, ".\n");
}

static int run_walk_now(struct oc_cli *cli)
{
    char request[64];
    uint64_t pid;

    if (cli->arg_count == 0)
        return command(cli, "{\"cmd\":\"walk-now\"}", say_walks);
    if (oc_text_u64(cli->args[0], &pid) || pid == 0 || pid > UINT32_MAX)
        return oc_cli_usage(cli, "'%s' is no process id", cli->args[0]);
    (void)snprintf(request, sizeof(request), "{\"cmd\":\"walk-now\",\"pid\":%" PRIu64 "}", pid);
    return command(cli, request, say_walks);
}

static const struct oc_cli_example walk_examples[] = {
    { "oomcast walk-now 1234", "mappings, modules and page figures of one process, at once" },
    { 0 },
};

const struct oc_cli_command oc_cmd_walk_now = {
    .name = "walk-now",
    .summary = "have the daemon walk the mappings of a process at once",
    .usage = "[OPTION]... [PID]",
    .text = "Without a PID: of all watched processes. Walks cost more than ticks, so the daemon "
            "makes them rarely by itself.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON,
    .examples = walk_examples,
    .max_args = 1,
    .run = run_walk_now,
};
