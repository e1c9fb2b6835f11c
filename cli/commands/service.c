/* oomcast service: oomcastd as a service of Windows. */
#include "cli/service.h"
#include "cli/cli.h"
#include "cli/show/json.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *oc_service_state_name(enum oc_service_state state)
{
    static const char *const names[OC_SERVICE_STATES] = { "not installed", "stopped", "starting",
                                                          "running", "stopping" };

    return names[state];
}

/* What went wrong, and its mend where that is the same for all. */
static int failed(struct oc_cli *cli, int rc, const struct oc_detail *detail)
{
    if (rc == OC_E_DENIED)
        return oc_cli_error(cli, "%s; run it in a console of an administrator", detail->text);
    return oc_cli_error(cli, "%s", detail->text[0] ? detail->text : oc_err_text(rc));
}

/* ---- install, uninstall ---- */

static void on_done(void *context, const char *text)
{
    struct oc_cli *cli = context;

    oc_buf_printf(&cli->out, "%s\n", text);
}

static void on_not_done(void *context, const char *text, const char *why)
{
    oc_cli_note(context, "not done: %s: %s", text, why);
}

static int run_install(struct oc_cli *cli)
{
    struct oc_service_plan plan = {
        .config_path = oc_cli_text(cli, "config", NULL),
        .data_dir = oc_cli_text(cli, "data", NULL),
        .done = on_done,
        .not_done = on_not_done,
        .context = cli,
    };
    struct oc_service_status status = { 0 };
    struct oc_detail detail = { 0 };
    int rc = oc_service_install(&plan, &detail);

    if (rc < 0)
        return failed(cli, rc, &detail);
    if (oc_service_look(&status, &detail) == OC_OK && status.state == OC_SERVICE_RUNNING)
        oc_buf_puts(&cli->out,
                    "The service runs on as it was. To start it as it is set now: oomcast "
                    "service stop, then oomcast service start\n");
    else
        oc_buf_puts(&cli->out, "The service is installed. Next: oomcast service start\n");
    return OC_EXIT_OK;
}

static int run_uninstall(struct oc_cli *cli)
{
    struct oc_detail detail = { 0 };
    int rc = oc_service_uninstall(&detail);

    if (rc < 0)
        return failed(cli, rc, &detail);
    oc_buf_puts(&cli->out,
                "The service is removed; its config and its data are where they were.\n");
    return OC_EXIT_OK;
}

/* ---- start, stop ---- */

static int run_start(struct oc_cli *cli)
{
    struct oc_detail detail = { 0 };
    int rc = oc_service_start(&detail);

    if (rc < 0)
        return failed(cli, rc, &detail);
    oc_buf_puts(&cli->out, "The service runs. Next: oomcast top\n");
    return OC_EXIT_OK;
}

static int run_stop(struct oc_cli *cli)
{
    struct oc_detail detail = { 0 };
    int rc = oc_service_stop(&detail);

    if (rc < 0)
        return failed(cli, rc, &detail);
    oc_buf_puts(&cli->out, "The service has stopped; everything is saved.\n");
    return OC_EXIT_OK;
}

/* ---- status ---- */

static void print_json(struct oc_cli *cli, const struct oc_service_status *status)
{
    struct oc_json json;

    oc_json_init(&json, &cli->out);
    oc_json_object(&json);
    oc_json_put_str(&json, "state", oc_service_state_name(status->state));
    if (status->pid)
        oc_json_put_u64(&json, "pid", status->pid);
    if (status->state != OC_SERVICE_NONE) {
        oc_json_put_u64(&json, "exit_code", status->exit_code);
        oc_json_put_bool(&json, "starts_at_boot", status->starts_at_boot);
        oc_json_put_str(&json, "account", status->account);
        oc_json_put_str(&json, "command", status->command);
    }
    oc_json_object_end(&json);
    oc_buf_putc(&cli->out, '\n');
}

static void print_text(struct oc_cli *cli, const struct oc_service_status *status)
{
    struct oc_buf *out = &cli->out;

    oc_buf_printf(out, "oomcast is %s", oc_service_state_name(status->state));
    if (status->pid)
        oc_buf_printf(out, " (pid %" PRIu32 ")", status->pid);
    oc_buf_putc(out, '\n');
    if (status->state == OC_SERVICE_NONE)
        return;
    oc_buf_puts(out, "command   ");
    oc_buf_escaped(out, status->command);
    oc_buf_puts(out, "\naccount   ");
    oc_buf_escaped(out, status->account);
    oc_buf_printf(out, "\nat boot   %s\n", status->starts_at_boot ? "started" : "not started");
    if (status->state == OC_SERVICE_STOPPED && status->exit_code)
        oc_buf_printf(out, "ended     with %" PRIu32 ": the event log says why\n",
                      status->exit_code);
}

static int run_status(struct oc_cli *cli)
{
    struct oc_service_status status = { 0 };
    struct oc_detail detail = { 0 };
    int rc = oc_service_look(&status, &detail);

    if (rc < 0)
        return failed(cli, rc, &detail);
    if (cli->format == OC_FORMAT_JSON)
        print_json(cli, &status);
    else
        print_text(cli, &status);
    return status.state == OC_SERVICE_RUNNING ? OC_EXIT_OK : OC_EXIT_ERROR;
}

/* ---- the command ---- */

static const struct {
    const char *word;
    int (*run)(struct oc_cli *cli);
} actions[] = { { "install", run_install },
                { "uninstall", run_uninstall },
                { "start", run_start },
                { "stop", run_stop },
                { "status", run_status } };
#define ACTION_COUNT (sizeof(actions) / sizeof(actions[0]))

static int run(struct oc_cli *cli)
{
    const char *words[ACTION_COUNT + 1] = { NULL };
    const char *nearest = NULL;

    for (size_t i = 0; i < ACTION_COUNT; i++) {
        if (strcmp(actions[i].word, cli->args[0]) == 0)
            return actions[i].run(cli);
        words[i] = actions[i].word;
    }
    nearest = oc_text_nearest(cli->args[0], words);
    if (nearest)
        return oc_cli_usage(cli, "no action '%s'; did you mean '%s'?", cli->args[0], nearest);
    return oc_cli_usage(cli, "no action '%s'; there are install, uninstall, start, stop and status",
                        cli->args[0]);
}

static const struct oc_cli_option options[] = {
    { .name = "config",
      .type = OC_CLI_TEXT,
      .placeholder = "FILE",
      .text = "install: the config file of the service" },
    { .name = "data",
      .type = OC_CLI_TEXT,
      .placeholder = "DIR",
      .text = "install: the folder of its store" },
    { 0 },
};

static const struct oc_cli_example examples[] = {
    { "oomcast service install", "as an administrator; then: oomcast service start" },
    { "oomcast service install --config D:\\oomcast\\oomcast.json", "with a config of its own" },
    { "oomcast service status", "whether it runs, and as whom" },
    { 0 },
};

const struct oc_cli_command oc_cmd_service = {
    .name = "service",
    .summary = "install, start and stop the service of Windows",
    .usage = "[OPTION]... install|uninstall|start|stop|status",
    .text =
        "install makes oomcastd, which lies beside this program, a service that starts with the "
        "machine, with no more rights than it needs; its source in the event log; the group "
        "'oomcast readers', whose members may ask for everything without being administrators; and "
        "the folder of its data, for administrators and that group alone. Done again, it sets all "
        "that anew.\n"
        "\n"
        "uninstall stops and removes the service; its config and data stay.\n"
        "\n"
        "On Linux the service is systemd's: systemctl start oomcastd.",
    .exits = "status: 0 it runs, 1 it does not",
    .common = OC_CLI_HAS_JSON,
    .options = options,
    .examples = examples,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
