/* oomcast doctor: what can be read here, and if not, what is missing and how to grant it. */
#include "cli/cli.h"
#include "cli/frame/control.h"
#include "cli/model/overview.h"
#include "cli/show/json.h"
#include "cli/show/list.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "probes/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_FINDINGS 256
#define MARK_COLUMNS 7
#define FEW_DESCRIPTORS 4096 /* below it statm of some thousand processes cannot be kept open */
#define ASK_TIMEOUT_MS 2000
#define RECORD_MAX_BYTES ((size_t)64 << 20)

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
    size_t own_from; /* index of the first of our own checks */
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
    struct oc_overview info;
    oc_reader *reader = NULL;
    struct finding *finding;
    char when[32];
    int rc;

    oc_cli_find_store(cli);
    rc = oc_reader_open(cli->db_path, &reader, &detail);
    if (!rc)
        rc = oc_overview_read(reader, &info);
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

enum group { GROUP_PROCESS, GROUP_CGROUP, GROUP_HOST, GROUP_OTHER, GROUP_OWN, GROUP_COUNT };

static enum group group_of(const struct doctor *doctor, size_t index)
{
    const struct oc_metric_row *row = oc_metric_by_name(doctor->findings[index].figure);

    if (index >= doctor->own_from)
        return GROUP_OWN;
    if (!row)
        return GROUP_OTHER;
    switch ((enum oc_block)OC_METRIC_BLOCK(row->number)) {
    case OC_BLOCK_CGROUP:
        return GROUP_CGROUP;
    case OC_BLOCK_HOST:
        return GROUP_HOST;
    case OC_BLOCK_PROCESS:
    case OC_BLOCK_SELF:
    case OC_BLOCK_COUNT:
        break;
    }
    return GROUP_PROCESS;
}

static void put_mark(struct oc_cli *cli, int ok)
{
    const char *paint = ok ? "\033[32m" : "\033[33m";

    oc_buf_printf(&cli->out, "  %s%s%s  ", cli->color ? paint : "", ok ? "yes" : "no ",
                  cli->color ? "\033[0m" : "");
}

/* Names are of the metric table and of this program: nothing to escape. */
static struct oc_list begin_names(struct oc_cli *cli, int ok)
{
    struct oc_list list;

    put_mark(cli, ok);
    oc_list_begin(&list, &cli->out, MARK_COLUMNS, cli->is_tty ? cli->width : 0);
    return list;
}

static void put_text(struct oc_cli *cli, const char *lead, const char *text)
{
    oc_buf_spaces(&cli->out, MARK_COLUMNS);
    oc_buf_puts(&cli->out, lead);
    oc_buf_escaped(&cli->out, text);
    oc_buf_putc(&cli->out, '\n');
}

/* What is well is only named, unless there is something to say of it. */
static void put_good(const struct doctor *doctor, enum group group)
{
    struct oc_list list;
    size_t count = 0;

    for (size_t i = 0; i < doctor->count; i++) {
        const struct finding *finding = &doctor->findings[i];

        if (finding->rc || finding->why[0] || group_of(doctor, i) != group)
            continue;
        if (count++ == 0)
            list = begin_names(doctor->cli, 1);
        oc_list_item(&list, finding->figure);
    }
    if (count > 0)
        oc_buf_putc(&doctor->cli->out, '\n');
}

static int same_words(const struct finding *a, const struct finding *b)
{
    return a->rc == b->rc && strcmp(a->why, b->why) == 0 && strcmp(a->mend, b->mend) == 0;
}

/* A finding with its reason, together with all others of the same reason. */
static void put_reason(const struct doctor *doctor, size_t first, enum group group)
{
    struct oc_cli *cli = doctor->cli;
    const struct finding *finding = &doctor->findings[first];
    struct oc_list list = begin_names(cli, finding->rc == OC_OK);

    for (size_t i = first; i < doctor->count; i++) {
        if (group_of(doctor, i) == group && same_words(finding, &doctor->findings[i]))
            oc_list_item(&list, doctor->findings[i].figure);
    }
    oc_buf_putc(&cli->out, '\n');
    put_text(cli, finding->rc && cli->utf8 ? "✗ " : "  ",
             finding->why[0] ? finding->why : oc_err_text(finding->rc));
    if (finding->mend[0])
        put_text(cli, cli->utf8 ? "→ " : "> ", finding->mend);
}

static int said_before(const struct doctor *doctor, size_t index, enum group group)
{
    for (size_t i = 0; i < index; i++) {
        if (group_of(doctor, i) == group &&
            same_words(&doctor->findings[i], &doctor->findings[index]))
            return 1;
    }
    return 0;
}

static void put_group(const struct doctor *doctor, enum group group, const char *title)
{
    struct oc_cli *cli = doctor->cli;
    size_t all = 0, good = 0;

    for (size_t i = 0; i < doctor->count; i++) {
        all += group_of(doctor, i) == group;
        good += group_of(doctor, i) == group && doctor->findings[i].rc == OC_OK;
    }
    if (all == 0)
        return;
    oc_buf_printf(&cli->out, cli->color ? "%s\033[1m%s\033[0m" : "%s%s",
                  cli->out.len_bytes > 0 ? "\n" : "", title);
    if (group == GROUP_OWN)
        oc_buf_putc(&cli->out, '\n');
    else
        oc_buf_printf(&cli->out, ": %zu of %zu can be read\n", good, all);
    put_good(doctor, group);
    for (size_t i = 0; i < doctor->count; i++) {
        const struct finding *finding = &doctor->findings[i];

        if (group_of(doctor, i) == group && (finding->rc || finding->why[0]) &&
            !said_before(doctor, i, group))
            put_reason(doctor, i, group);
    }
}

static void print_text(const struct doctor *doctor, uint32_t pid)
{
    char title[64];

    (void)snprintf(title, sizeof(title), "Process %" PRIu32 "%s", pid,
                   doctor->cli->arg_count > 0 ? "" : " (this one)");
    put_group(doctor, GROUP_PROCESS, title);
    put_group(doctor, GROUP_CGROUP, "Its cgroup");
    put_group(doctor, GROUP_HOST, "Host");
    put_group(doctor, GROUP_OTHER, "Facilities");
    put_group(doctor, GROUP_OWN, "oomcast itself");
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
    struct oc_probe_options options = { .root = oc_cli_text(doctor->cli, "root", NULL) };
    uint32_t shown_pid = pid ? pid : oc_os_pid();
    int rc = oc_probe_doctor(&options, pid, take_ability, doctor);

    if (rc == OC_E_GONE || rc == OC_E_NOENT)
        return oc_cli_error(doctor->cli, "no process %" PRIu32, pid);
    if (rc == OC_E_DENIED && pid)
        return oc_cli_error(
            doctor->cli,
            "process %" PRIu32 " is there, but hidden: /proc is mounted with hidepid. "
            "Run it as root, with CAP_SYS_PTRACE, or in the group of its gid= option",
            pid);
    if (rc)
        return oc_cli_error(doctor->cli, "%s", oc_err_text(rc));
    doctor->own_from = doctor->count;
    check_store(doctor);
    check_daemon(doctor);
    check_descriptors(doctor);
    if (doctor->cli->format == OC_FORMAT_JSON)
        print_json(doctor, shown_pid);
    else
        print_text(doctor, shown_pid);
    return OC_EXIT_OK;
}

/* ---- a recording ---- */

static int record(struct oc_cli *cli, uint32_t pid, const char *path)
{
    struct oc_probe_options options = { .root = oc_cli_text(cli, "root", NULL) };
    struct oc_detail detail = { 0 };
    struct oc_buf text;
    int rc;

    oc_buf_init(&text, RECORD_MAX_BYTES);
    rc = oc_probe_record(&options, pid, &text, &detail);
    if (rc == OC_E_GONE || rc == OC_E_NOENT)
        (void)oc_detail_set(&detail, rc, "no process %" PRIu32, pid);
    if (!rc) {
        rc = oc_file_write_atomic(path, text.data, text.len_bytes);
        if (rc)
            (void)oc_detail_set(&detail, rc, "%.200s: %s", path, oc_err_text(rc));
    }
    oc_buf_clear(&text);
    if (rc)
        return oc_cli_error(cli, "%s", detail.text[0] ? detail.text : oc_err_text(rc));
    oc_buf_puts(&cli->out, "Recorded to ");
    oc_buf_escaped(&cli->out, path);
    oc_buf_puts(
        &cli->out,
        ". Secrets of command lines, users' names and their folders are taken out;\n"
        "names of programs, services, pools and files are in it: look through it before you "
        "give it to anybody.\n");
    return OC_EXIT_OK;
}

static int run_doctor(struct oc_cli *cli)
{
    struct doctor doctor = { .cli = cli };
    uint64_t pid = 0;
    int rc;

    if (cli->arg_count > 0 && (oc_text_u64(cli->args[0], &pid) || pid == 0 || pid > UINT32_MAX))
        return oc_cli_usage(cli, "'%s' is no process id", cli->args[0]);
    if (oc_cli_has(cli, "record"))
        return record(cli, (uint32_t)pid, oc_cli_text(cli, "record", NULL));
    doctor.findings = oc_calloc(MAX_FINDINGS, sizeof(*doctor.findings));
    if (!doctor.findings)
        return oc_cli_error(cli, "%s", oc_err_text(OC_E_NOMEM));
    rc = examine(&doctor, (uint32_t)pid);
    oc_free(doctor.findings);
    return rc;
}

static const struct oc_cli_option doctor_options[] = {
    { "record", 0, OC_CLI_TEXT, "FILE",
      "Windows: write all that is asked of the machine and of PID (none: of the IIS workers) with "
      "its answers and times, secrets taken out; for a report of a fault",
      NULL },
    { 0 },
};

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
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON | OC_CLI_HAS_ROOT,
    .options = doctor_options,
    .examples = doctor_examples,
    .max_args = 1,
    .run = run_doctor,
};
