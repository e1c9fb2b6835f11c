/* oomcast doctor: what can be read here, and if not, what is missing and how to grant it. */
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/json.h"
#include "cli/timespec.h"
#include "cli/value.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "probes/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_FINDINGS 256
#define NAME_COLUMNS 34
#define FEW_DESCRIPTORS 4096 /* below it statm of some thousand processes cannot be kept open */
#define ASK_TIMEOUT_MS 2000

/* A finding of ours or of the probe; text is what is to be said even where all is well. */
struct finding {
    char figure[64];
    int rc;
    char why[200], mend[240];
};

struct doctor {
    struct oc_cli *cli;
    struct finding *findings; /* MAX_FINDINGS */
    size_t count;
};

static struct finding *add(struct doctor *doctor, const char *figure, int rc)
{
    struct finding *finding;

    if (doctor->count == MAX_FINDINGS)
        return NULL;
    finding = &doctor->findings[doctor->count++];
    (void)oc_text_copy(finding->figure, sizeof(finding->figure), figure);
    finding->rc = rc;
    return finding;
}

static void take_ability(const struct oc_ability *ability, void *context)
{
    struct finding *finding = add(context, ability->figure, ability->rc);

    if (!finding)
        return;
    (void)oc_text_copy(finding->why, sizeof(finding->why), ability->why);
    (void)oc_text_copy(finding->mend, sizeof(finding->mend), ability->mend);
}

/* ---- checks of our own ---- */

static void check_store(struct doctor *doctor)
{
    struct oc_cli *cli = doctor->cli;
    struct oc_detail detail = { 0 };
    struct oc_db_info info;
    oc_reader *reader = NULL;
    struct finding *finding;
    char when[32];
    int rc;

    oc_cli_find_store(cli);
    rc = oc_reader_open(cli->db_path, &reader, &detail);
    if (!rc)
        rc = oc_reader_info(reader, &info);
    finding = add(doctor, "store", rc);
    if (finding && !rc && info.last_unix_ms > 0)
        (void)snprintf(finding->why, sizeof(finding->why), "%.120s, newest sample %s", cli->db_path,
                       oc_timespec_short(info.last_unix_ms, cli->now_unix_ms, when, sizeof(when)));
    else if (finding && !rc)
        (void)snprintf(finding->why, sizeof(finding->why), "%.120s, no sample yet", cli->db_path);
    else if (finding)
        (void)snprintf(finding->why, sizeof(finding->why), "%.190s",
                       detail.text[0] ? detail.text : oc_err_text(rc));
    if (finding && rc == OC_E_NOENT)
        (void)snprintf(finding->mend, sizeof(finding->mend),
                       "start the daemon: oomcastd --foreground (or name a store: --db PATH)");
    oc_reader_close(reader);
}

static void check_daemon(struct doctor *doctor)
{
    struct oc_buf answer;
    struct finding *finding;
    char path[1100];
    int rc;

    oc_buf_init(&answer, 1u << 16);
    rc = oc_control_path(doctor->cli, path, sizeof(path));
    if (!rc)
        rc = oc_control_ask(path, "{\"cmd\":\"status\"}", ASK_TIMEOUT_MS, &answer);
    oc_buf_clear(&answer);
    finding = add(doctor, "daemon", rc);
    if (!finding)
        return;
    if (!rc)
        (void)snprintf(finding->why, sizeof(finding->why), "it answers at %.150s", path);
    else if (rc == OC_E_DENIED)
        (void)snprintf(finding->mend, sizeof(finding->mend),
                       "run this as the daemon's user, as root, or as a member of its group");
    if (rc)
        (void)snprintf(finding->why, sizeof(finding->why), "no answer at %.120s: %s", path,
                       oc_err_text(rc));
    if (rc == OC_E_NOENT)
        (void)snprintf(finding->mend, sizeof(finding->mend),
                       "start it: oomcastd --foreground, or as a service");
}

static void check_descriptors(struct doctor *doctor)
{
    uint64_t limit = oc_os_raise_nofile();
    struct finding *finding =
        add(doctor, "descriptor limit", limit < FEW_DESCRIPTORS ? OC_E_NOFILE : OC_OK);

    if (!finding)
        return;
    if (limit == UINT64_MAX)
        (void)snprintf(finding->why, sizeof(finding->why), "no limit");
    else
        (void)snprintf(finding->why, sizeof(finding->why), "%" PRIu64 "%s", limit,
                       finding->rc ? ": files are opened anew at each look beyond half of that"
                                   : "");
    if (finding->rc)
        (void)snprintf(finding->mend, sizeof(finding->mend),
                       "LimitNOFILE=65536 in the unit, or ulimit -Hn 65536 before the start");
}

/* ---- what is printed ---- */

static void put_finding(struct oc_cli *cli, const struct finding *finding)
{
    struct oc_buf *out = &cli->out;
    const char *mark = finding->rc ? "no " : "yes";
    const char *paint = finding->rc ? "\033[33m" : "\033[32m";
    size_t columns = oc_text_columns(finding->figure);

    oc_buf_printf(out, "  %s%s%s  ", cli->color ? paint : "", mark, cli->color ? "\033[0m" : "");
    oc_buf_escaped(out, finding->figure);
    if (finding->why[0]) {
        oc_buf_spaces(out, columns < NAME_COLUMNS ? NAME_COLUMNS - columns : 1);
        oc_buf_escaped(out, finding->why);
    } else if (finding->rc) {
        oc_buf_spaces(out, columns < NAME_COLUMNS ? NAME_COLUMNS - columns : 1);
        oc_buf_puts(out, oc_err_text(finding->rc));
    }
    oc_buf_putc(out, '\n');
    if (finding->mend[0]) {
        oc_buf_spaces(out, 7 + NAME_COLUMNS);
        oc_buf_puts(out, cli->utf8 ? "→ " : "-> ");
        oc_buf_escaped(out, finding->mend);
        oc_buf_putc(out, '\n');
    }
}

static void print_text(const struct doctor *doctor, uint32_t pid, size_t own_from)
{
    struct oc_cli *cli = doctor->cli;
    size_t missing = 0;

    oc_buf_printf(&cli->out, "Figures of process %" PRIu32 "%s and of this machine\n", pid,
                  cli->arg_count > 0 ? "" : " (this one)");
    for (size_t i = 0; i < doctor->count; i++) {
        if (i == own_from)
            oc_buf_puts(&cli->out, "\nStore and daemon\n");
        put_finding(cli, &doctor->findings[i]);
        missing += i < own_from && doctor->findings[i].rc != OC_OK;
    }
    oc_buf_printf(&cli->out, "\n%zu of %zu figures can be read%s\n", own_from - missing, own_from,
                  missing && !oc_os_is_admin() ? "; as root more may be" : "");
}

static void print_json(const struct doctor *doctor, uint32_t pid)
{
    struct oc_json json;

    oc_json_init(&json, &doctor->cli->out);
    oc_json_object(&json);
    oc_json_put_u64(&json, "pid", pid);
    oc_json_key(&json, "findings");
    oc_json_array(&json);
    for (size_t i = 0; i < doctor->count; i++) {
        const struct finding *finding = &doctor->findings[i];

        oc_json_object(&json);
        oc_json_put_str(&json, "figure", finding->figure);
        oc_json_put_bool(&json, "ok", finding->rc == OC_OK);
        if (finding->rc)
            oc_json_put_str(&json, "err", oc_err_name(finding->rc));
        if (finding->why[0])
            oc_json_put_str(&json, "why", finding->why);
        if (finding->mend[0])
            oc_json_put_str(&json, "mend", finding->mend);
        oc_json_object_end(&json);
    }
    oc_json_array_end(&json);
    oc_json_object_end(&json);
    oc_buf_putc(&doctor->cli->out, '\n');
}

static int examine(struct doctor *doctor, uint32_t pid)
{
    struct oc_probe_options options = { 0 };
    uint32_t shown_pid = pid ? pid : oc_os_pid();
    size_t own_from;
    int rc = oc_probe_doctor(&options, pid, take_ability, doctor);

    if (rc == OC_E_GONE || rc == OC_E_NOENT)
        return oc_cli_error(doctor->cli, "no process %" PRIu32, pid);
    if (rc)
        return oc_cli_error(doctor->cli, "%s", oc_err_text(rc));
    own_from = doctor->count;
    check_store(doctor);
    check_daemon(doctor);
    check_descriptors(doctor);
    if (doctor->cli->format == OC_FORMAT_JSON)
        print_json(doctor, shown_pid);
    else
        print_text(doctor, shown_pid, own_from);
    return OC_EXIT_OK;
}

static int run_doctor(struct oc_cli *cli)
{
    struct doctor doctor = { .cli = cli };
    uint64_t pid = 0;
    int rc;

    if (cli->arg_count > 0 && (oc_text_u64(cli->args[0], &pid) || pid == 0 || pid > UINT32_MAX))
        return oc_cli_usage(cli, "'%s' is no process id", cli->args[0]);
    doctor.findings = oc_calloc(MAX_FINDINGS, sizeof(*doctor.findings));
    if (!doctor.findings)
        return oc_cli_error(cli, "%s", oc_err_text(OC_E_NOMEM));
    rc = examine(&doctor, (uint32_t)pid);
    oc_free(doctor.findings);
    return rc;
}

static const struct oc_cli_example doctor_examples[] = {
    { "oomcast doctor", "what this user can read on this machine" },
    { "oomcast doctor 1234", "of one process, with what is missing and how to grant it" },
    { "sudo -u oomcast oomcast doctor 1234", "what the daemon's user can" },
    { 0 },
};

const struct oc_cli_command oc_cmd_doctor = {
    .name = "doctor",
    .summary = "what can be read here; if not, what is missing and how to grant it",
    .usage = "[OPTION]... [PID]",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON,
    .examples = doctor_examples,
    .max_args = 1,
    .run = run_doctor,
};
