/* oomcast config: what the config says, and what it matches on this machine. */
#include "cli/cli.h"
#include "cli/commands/config_view.h"

#include "base/os.h"
#include "base/text.h"
#include "cli/show/json.h"

#include <stdio.h>
#include <string.h>

#define PATH_BYTES 4096

/* The file that was named, else the usual one. */
static int find_path(const struct oc_cli *cli, char path[PATH_BYTES])
{
    if (cli->arg_count > 1)
        return oc_text_copy(path, PATH_BYTES, cli->args[1]);
    return oc_os_config_path(path, PATH_BYTES);
}

static int fail_load(struct oc_cli *cli, int rc, const struct oc_detail *detail)
{
    struct oc_json json;

    if (cli->format == OC_FORMAT_JSON) {
        oc_json_init(&json, &cli->out);
        oc_json_object(&json);
        oc_json_put_bool(&json, "ok", 0);
        oc_json_put_str(&json, "err", oc_err_name(rc));
        oc_json_put_str(&json, "text", detail->text);
        if (detail->line > 0) {
            oc_json_put_u64(&json, "line", detail->line);
            oc_json_put_u64(&json, "column", detail->column);
        }
        oc_json_object_end(&json);
        oc_buf_putc(&cli->out, '\n');
        return OC_EXIT_ERROR;
    }
    return oc_cli_error(cli, "%s", detail->text);
}

/* Where no file was named and none is there, the defaults are in force. */
static int load(struct oc_cli *cli, struct oc_config *out_config)
{
    struct oc_detail detail = { 0 };
    char path[PATH_BYTES];
    int rc = find_path(cli, path);

    if (rc < 0)
        return oc_cli_error(cli, "the path of the config is too long");
    if (cli->arg_count < 2 && !oc_file_exists(path)) {
        oc_cli_note(cli, "no config at %s: the defaults are in force", path);
        rc = oc_config_default(out_config, &detail);
        return rc < 0 ? fail_load(cli, rc, &detail) : OC_EXIT_OK;
    }
    rc = oc_config_load_all(path, out_config, &detail);
    return rc < 0 ? fail_load(cli, rc, &detail) : OC_EXIT_OK;
}

static int run_check(struct oc_cli *cli)
{
    struct oc_probe_options options = { .root = oc_cli_text(cli, "root", NULL) };
    struct oc_coverage coverage = { 0 };
    struct oc_detail detail = { 0 };
    struct oc_config config;
    int rc = load(cli, &config);

    if (rc != OC_EXIT_OK)
        return rc;
    rc = oc_coverage_read(&options, &config, &coverage, &detail);
    if (rc < 0) {
        oc_config_clear(&config);
        return oc_cli_error(cli, "the config is right, but the processes cannot be looked at: %s",
                            detail.text[0] ? detail.text : oc_err_text(rc));
    }
    if (cli->format == OC_FORMAT_JSON)
        oc_config_view_check_json(cli, &coverage);
    else
        oc_config_view_check(cli, &coverage);
    oc_coverage_clear(&coverage);
    oc_config_clear(&config);
    return OC_EXIT_OK;
}

static int run_show(struct oc_cli *cli)
{
    struct oc_config config;
    int rc = load(cli, &config);

    if (rc != OC_EXIT_OK)
        return rc;
    if (cli->format == OC_FORMAT_JSON)
        oc_config_view_show_json(cli, &config);
    else
        oc_config_write_all(&config, &cli->out);
    oc_config_clear(&config);
    return OC_EXIT_OK;
}

static int run_schema(struct oc_cli *cli)
{
    oc_config_write_schema(&cli->out);
    return OC_EXIT_OK;
}

static int run_manual(struct oc_cli *cli)
{
    oc_config_write_manual(&cli->out);
    return OC_EXIT_OK;
}

/* The folder of a file, made where it is missing. */
static int make_folder_of(const char *path)
{
    char folder[PATH_BYTES];
    size_t len = strlen(path);

    while (len > 0 && path[len - 1] != '/' && path[len - 1] != '\\')
        len--;
    if (len <= 1)
        return OC_OK;
    (void)snprintf(folder, sizeof(folder), "%.*s", (int)(len - 1), path);
    return oc_file_exists(folder) ? OC_OK : oc_os_mkdir_all(folder);
}

static void write_starter(struct oc_cli *cli)
{
    if (oc_cli_has(cli, "iis"))
        oc_config_write_iis_sample(&cli->out);
    else
        oc_config_write_sample(&cli->out);
}

static int run_init(struct oc_cli *cli)
{
    char path[PATH_BYTES];
    int rc = find_path(cli, path);

    if (rc < 0)
        return oc_cli_error(cli, "the path of the config is too long");
    if (strcmp(path, "-") == 0) {
        write_starter(cli);
        return OC_EXIT_OK;
    }
    if (oc_file_exists(path))
        return oc_cli_error(cli,
                            "%s is there already, and stays as it is; 'oomcast config init -' "
                            "writes the starter file to standard output",
                            path);
    write_starter(cli);
    rc = cli->out.err ? cli->out.err : make_folder_of(path);
    if (rc == OC_OK)
        rc = oc_file_write_atomic(path, cli->out.data, cli->out.len_bytes);
    oc_buf_reset(&cli->out);
    if (rc < 0)
        return oc_cli_error(cli, "%s: %s", path, oc_err_text(rc));
    oc_buf_puts(&cli->out, "written: ");
    oc_buf_escaped(&cli->out, path);
    oc_buf_puts(&cli->out, "\nNext: choose targets there, then 'oomcast config check', then "
                           "'oomcast reload'.\n");
    return OC_EXIT_OK;
}

static int run_config(struct oc_cli *cli)
{
    static const struct {
        const char *word;
        size_t max_args;
        int (*run)(struct oc_cli *);
    } actions[] = {
        { "check", 2, run_check }, { "show", 2, run_show },     { "schema", 1, run_schema },
        { "init", 2, run_init },   { "manual", 1, run_manual },
    };
    static const char *const words[] = { "check", "show", "schema", "init", "manual", NULL };
    const char *nearest = NULL;

    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(cli->args[0], actions[i].word) != 0)
            continue;
        if (cli->arg_count > actions[i].max_args)
            return oc_cli_usage(cli, "'%s' takes no file", actions[i].word);
        return actions[i].run(cli);
    }
    nearest = oc_text_nearest(cli->args[0], words);
    if (nearest)
        return oc_cli_usage(cli, "no action '%s'; did you mean '%s'?", cli->args[0], nearest);
    return oc_cli_usage(cli, "no action '%s'; there are check, show, schema, init and manual",
                        cli->args[0]);
}

static const struct oc_cli_option config_options[] = {
    { "iis", 0, OC_CLI_FLAG, NULL, "init: a starter file for a machine with IIS", NULL },
    { "all", 'a', OC_CLI_FLAG, NULL, "check: every process, not the first of them", NULL },
    { 0 },
};

static const struct oc_cli_example config_examples[] = {
    { "oomcast config init", "write a starter file where oomcastd looks for it" },
    { "oomcast config init --iis", "the same for application pools of IIS, in force as it stands" },
    { "sudo oomcast config check", "which processes each target matches now, and why not others" },
    { "oomcast config check ./new.json", "of a file that is not in force" },
    { "oomcast config show", "all values in force, and where each came from" },
    { "oomcast config schema > oomcast.schema.json", "for an editor that completes and checks" },
    { 0 },
};

const struct oc_cli_command oc_cmd_config = {
    .name = "config",
    .summary = "check a config against this machine, show it, write a starter file",
    .usage = "[OPTION]... check|show|schema|init|manual [FILE]",
    .text =
        "check reads the file and its drop-ins (conf.d beside it) as oomcastd does and says for "
        "each target which processes of this machine it has now, what they are called, and why "
        "others of the same name are not among them. It warns of rules that can never match a "
        "subject of the targets, of receivers that nothing reaches, and of secrets in clear.\n"
        "\n"
        "show prints what is in force as one file, with the origin of each value behind it; a "
        "text that came from a file of its own is shown as that file's path, other secrets as "
        "(hidden).\n"
        "\n"
        "schema prints a JSON Schema, manual the page oomcast.json(5). init writes a commented "
        "starter file ('-': to standard output) and never over a file that is there.\n"
        "\n"
        "With no FILE it is the user's, else /etc/oomcast/oomcast.json.",
    .exits = "check, show: 0 the config is right, 1 it is not, and standard error says where.",
    .common = OC_CLI_HAS_JSON | OC_CLI_HAS_ROOT,
    .options = config_options,
    .examples = config_examples,
    .min_args = 1,
    .max_args = 2,
    .run = run_config,
};
