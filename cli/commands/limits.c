/* oomcast limits: every ceiling that a process can meet, the nearest first. */
#include "cli/cli.h"
#include "cli/commands/limits_view.h"
#include "cli/commands/look.h"
#include "cli/model/ceilings.h"
#include "cli/model/history.h"
#include "cli/model/outlook.h"
#include "cli/show/timespec.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- a process of this machine ---- */

static int read_limits(struct oc_cli *cli, uint32_t pid, struct oc_ceilings *ceilings)
{
    struct oc_probe_options options = { .root = oc_cli_text(cli, "root", NULL) };
    struct oc_limits *limits = oc_calloc(1, sizeof(*limits)); /* some tens of KiB */
    int rc = limits ? oc_probe_limits(&options, pid, limits) : OC_E_NOMEM;

    for (size_t i = 0; !rc && i < limits->count; i++) {
        struct oc_ceiling ceiling = { .limit = limits->items[i], .pid = pid };
        const struct oc_limit_row *row = oc_limit_row(limits->items[i].kind);

        ceiling.source = OC_CEILING_NO_SOURCE;
        ceiling.processes = row && row->scope == OC_SCOPE_PROCESS;
        rc = oc_ceilings_add(ceilings, &ceiling);
    }
    ceilings->is_in_job = limits && limits->is_in_job;
    oc_free(limits);
    if (rc == OC_E_GONE || rc == OC_E_NOENT)
        return oc_cli_error(cli,
                            "no process %" PRIu32 " here; 'oomcast lives %" PRIu32
                            "' says how it ended, if it was watched",
                            pid, pid);
    if (rc == OC_E_DENIED)
        return oc_cli_error(cli,
                            "process %" PRIu32 " may not be looked at: run this as root "
                            "(sudo); 'oomcast doctor %" PRIu32 "' says what is missing",
                            pid, pid);
    return rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

/* What is forecast of each. */
static void look_ahead(struct oc_ceiling *items, size_t count, const struct oc_outlook *outlook)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i].source != OC_CEILING_NO_SOURCE)
            items[i].ahead = oc_outlook_of_limit(outlook, items[i].source, &items[i].limit);
    }
}

/* The store is a help here, not a need. */
static void look_in_store(struct oc_cli *cli, uint32_t pid, struct oc_ceilings *ceilings,
                          struct oc_outlook *outlook)
{
    struct oc_ceiling_store store = { 0 };
    struct oc_party party = { 0 };
    struct oc_detail detail;
    oc_reader *reader = NULL;
    char word[16];

    (void)snprintf(word, sizeof(word), "%" PRIu32, pid);
    oc_cli_find_store(cli);
    if (oc_reader_open(cli->db_path, &reader, &detail))
        return;
    if (oc_party_load(&party, reader, word, INT64_MAX, &detail) == OC_OK && !party.has_ended &&
        oc_ceiling_store_load(&store, reader) == OC_OK)
        oc_ceilings_since(ceilings, &store, party.items[0].source);
    if (oc_outlook_load(outlook, reader, cli->now_unix_ms) == OC_OK)
        look_ahead(ceilings->items, ceilings->count, outlook);
    oc_ceiling_store_clear(&store);
    oc_party_clear(&party);
    oc_reader_close(reader);
}

static int run_live(struct oc_cli *cli, uint32_t pid)
{
    struct oc_ceilings ceilings = { 0 };
    struct oc_outlook outlook = { 0 };
    struct oc_json json;
    int rc = read_limits(cli, pid, &ceilings);

    if (rc) {
        oc_ceilings_clear(&ceilings);
        return rc;
    }
    look_in_store(cli, pid, &ceilings, &outlook);
    oc_ceilings_sort(&ceilings);
    if (cli->format == OC_FORMAT_JSON) {
        oc_json_init(&json, &cli->out);
        oc_json_object(&json);
        oc_json_put_u64(&json, "pid", pid);
        oc_json_put_time(&json, "time", cli->now_unix_ms);
        if (ceilings.is_in_job)
            oc_json_put_bool(&json, "is_in_job", 1);
        oc_limits_json(&json, &ceilings);
        oc_json_object_end(&json);
        oc_buf_putc(&cli->out, '\n');
    } else {
        rc = oc_limits_table(cli, &ceilings);
        oc_limits_legend(cli, &ceilings);
    }
    oc_ceilings_clear(&ceilings);
    oc_outlook_clear(&outlook);
    return rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

/* ---- from the store ---- */

struct asked {
    struct oc_cli *cli;
    struct oc_party party;
    struct oc_ceiling_store store;
    struct oc_outlook outlook;
};

/* What is asked about: a subject of processes, or a name as it was given. */
static const char *subject_of(const struct asked *asked)
{
    return asked->party.count > 0 ? asked->party.items[0].subject : asked->cli->args[0];
}

static void put_stored_head(struct oc_cli *cli, const struct asked *asked)
{
    char text[32];

    oc_buf_escaped(&cli->out, subject_of(asked));
    if (asked->party.count == 1)
        oc_buf_printf(&cli->out, " (pid %" PRIu32 ")", asked->party.items[0].pid);
    else if (asked->party.count > 1)
        oc_buf_printf(&cli->out, ", %zu processes", asked->party.count);
    if (asked->store.newest_unix_ms)
        oc_buf_printf(
            &cli->out, ": figures of %s",
            oc_timespec_short(asked->store.newest_unix_ms, cli->now_unix_ms, text, sizeof(text)));
    oc_buf_puts(&cli->out, "\n\n");
}

static void json_stored(struct oc_cli *cli, const struct asked *asked,
                        const struct oc_ceilings *ceilings)
{
    struct oc_json json;

    oc_json_init(&json, &cli->out);
    oc_json_object(&json);
    oc_json_put_str(&json, "subject", subject_of(asked));
    oc_json_put_u64(&json, "processes", asked->party.count);
    oc_json_put_time(&json, "time", asked->store.newest_unix_ms);
    oc_limits_json(&json, ceilings);
    oc_json_object_end(&json);
    oc_buf_putc(&cli->out, '\n');
}

static int put_stored(const struct asked *asked, struct oc_ceilings *ceilings)
{
    struct oc_cli *cli = asked->cli;
    int rc = OC_OK;

    oc_ceilings_sort(ceilings);
    look_ahead(ceilings->items, ceilings->count, &asked->outlook);
    if (cli->format == OC_FORMAT_JSON) {
        json_stored(cli, asked, ceilings);
        return OC_OK;
    }
    put_stored_head(cli, asked);
    if (ceilings->count == 0) {
        oc_buf_puts(&cli->out, "No limit is known yet: they come with the first walk.\n");
        return OC_OK;
    }
    rc = oc_limits_table(cli, ceilings);
    oc_limits_legend(cli, ceilings);
    return rc;
}

static int answer_subject(struct asked *asked)
{
    struct oc_ceilings ceilings = { 0 };
    int rc = oc_ceilings_of(&ceilings, &asked->store, asked->party.items, asked->party.count);

    if (!rc)
        rc = put_stored(asked, &ceilings);
    oc_ceilings_clear(&ceilings);
    return rc;
}

/* A cgroup or the host have limits too. Whether there was one of that name; *out_exit is set then. */
static int answer_others(struct oc_cli *cli, const char *word, int *out_exit)
{
    struct asked asked = { .cli = cli };
    struct oc_ceilings ceilings = { 0 };
    struct oc_detail detail;
    oc_reader *reader = NULL;
    int rc;

    oc_cli_find_store(cli);
    if (oc_reader_open(cli->db_path, &reader, &detail))
        return 0; /* the error is said by who asks for processes */
    rc = oc_ceiling_store_load(&asked.store, reader);
    if (!rc)
        rc = oc_outlook_load(&asked.outlook, reader, cli->now_unix_ms);
    if (!rc)
        rc = oc_ceilings_of_others(&ceilings, &asked.store, word);
    if (rc > 0) {
        rc = put_stored(&asked, &ceilings);
        *out_exit = rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
        rc = 1;
    }
    oc_ceilings_clear(&ceilings);
    oc_ceiling_store_clear(&asked.store);
    oc_outlook_clear(&asked.outlook);
    oc_reader_close(reader);
    return rc == 1;
}

static int answer_all(struct asked *asked)
{
    struct oc_nearest *all = NULL;
    size_t count = 0;
    int rc = oc_nearest_of_all(&asked->store, &asked->party, &all, &count);

    for (size_t i = 0; i < count && !rc; i++) {
        if (all[i].has_limit)
            look_ahead(&all[i].ceiling, 1, &asked->outlook);
    }
    if (!rc && asked->cli->format == OC_FORMAT_JSON)
        oc_limits_json_all(asked->cli, all, count);
    else if (!rc)
        rc = oc_limits_table_all(asked->cli, all, count);
    oc_free(all);
    return rc;
}

static int run_stored(struct oc_cli *cli)
{
    struct asked asked = { .cli = cli };
    const char *word = cli->arg_count > 0 ? cli->args[0] : NULL;
    oc_reader *reader = NULL;
    int exit_code = OC_EXIT_OK;
    int rc;

    if (word && answer_others(cli, word, &exit_code))
        return exit_code;
    exit_code = oc_look_party(cli, word, INT64_MAX, &reader, &asked.party);
    if (exit_code)
        return exit_code;
    if (asked.party.has_ended) {
        exit_code = oc_cli_error(cli,
                                 "no process of %s runs now: its limits are gone with it; "
                                 "'oomcast lives %s' says how it ended",
                                 word, word);
    } else {
        rc = oc_ceiling_store_load(&asked.store, reader);
        if (!rc)
            rc = oc_ceiling_store_look_back(&asked.store, reader, asked.party.items,
                                            asked.party.count);
        if (!rc)
            rc = oc_outlook_load(&asked.outlook, reader, cli->now_unix_ms);
        if (!rc)
            rc = word ? answer_subject(&asked) : answer_all(&asked);
        exit_code = rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
    }
    oc_ceiling_store_clear(&asked.store);
    oc_outlook_clear(&asked.outlook);
    oc_party_clear(&asked.party);
    oc_reader_close(reader);
    return exit_code;
}

static int run_limits(struct oc_cli *cli)
{
    uint32_t pid = cli->arg_count > 0 ? oc_party_pid(cli->args[0]) : 0;

    return pid ? run_live(cli, pid) : run_stored(cli);
}

static const struct oc_cli_example limits_examples[] = {
    { "oomcast limits", "of each subject that is watched the limit it is nearest to" },
    { "oomcast limits 1234", "any process, with no daemon and no config" },
    { "oomcast limits unit:nginx.service", "all that its processes can meet" },
    { "oomcast limits host", "the machine's; cgroup:/PATH does for a cgroup" },
    { "oomcast limits --json | jq '.[] | select(.ratio > 0.9) | .subject'", "for a script" },
    { 0 },
};

const struct oc_cli_command oc_cmd_limits = {
    .name = "limits",
    .summary = "every ceiling that a process can meet, the nearest first",
    .usage = "[OPTION]... [SUBJECT|PID]",
    .text =
        "Limits of the process (rlimits, mappings, a 32-bit address space), of all cgroups above "
        "it, of the host, and those that the config sets: what counts against each, its room, what "
        "happens to who meets it, and, where a daemon watches, since when it is as it is and in "
        "how "
        "long it is forecast to be met (TIME; 'oomcast forecast' says how sure that is). A limit "
        "that is not set, or may not be read, is not there.\n\n"
        "memory.high kills nobody: above it the kernel slows the cgroup down, which may look like "
        "a process that hangs. Of a subject of several processes the one nearest to a limit stands "
        "for all.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON | OC_CLI_HAS_ROOT,
    .examples = limits_examples,
    .max_args = 1,
    .run = run_limits,
};
