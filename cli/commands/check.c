/* oomcast check: a monitoring plugin. One line, and an exit code that such systems know. */
#include "cli/cli.h"
#include "cli/commands/check_line.h"
#include "cli/model/party.h"
#include "cli/show/ending.h"
#include "cli/show/timespec.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define CGROUP_WORD "cgroup:"

/* ---- whose alerts count ---- */

/* Whether a cgroup holds a process of the word: what fills it up ends that too. */
static int is_above_word(const struct oc_outlook *outlook, const char *cgroup, const char *word)
{
    struct oc_outlook_source above = { .kind = OC_SOURCE_CGROUP };
    uint32_t pid = oc_party_pid(word);

    (void)oc_text_copy(above.subject, sizeof(above.subject), cgroup);
    for (size_t i = 0; i < outlook->count; i++) {
        const struct oc_outlook_source *source = &outlook->sources[i];
        int is_meant = pid ? source->pid == pid : oc_subject_is_meant(source->subject, word);

        if (is_meant && source->cgroup[0] && oc_outlook_is_above(&above, source->cgroup))
            return 1;
    }
    return 0;
}

static int counts_for(const struct oc_outlook *outlook, const struct oc_alert *alert,
                      const char *word)
{
    uint32_t pid = word ? oc_party_pid(word) : 0;

    if (!word || (pid && alert->pid == pid) || (!pid && oc_subject_is_meant(alert->subject, word)))
        return 1;
    return strncmp(alert->subject, CGROUP_WORD, strlen(CGROUP_WORD)) == 0 &&
           is_above_word(outlook, alert->subject, word);
}

static void keep_meant(struct oc_alert_list *list, const struct oc_outlook *outlook,
                       const char *word)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (!counts_for(outlook, &list->items[i], word))
            continue;
        if (kept != i)
            list->items[kept] = list->items[i];
        kept++;
    }
    list->count = kept;
}

/* ---- facts ---- */

/* "14:30:05 killed by SIGKILL". "": unknown. */
static void read_end(const struct oc_cli *cli, oc_reader *reader, const char *word, char *out,
                     size_t out_bytes)
{
    struct oc_party party = { 0 };
    struct oc_detail detail = { 0 };
    char how[320], time[32];

    out[0] = '\0';
    if (oc_party_load(&party, reader, word, INT64_MAX, &detail) == OC_OK && party.has_ended) {
        const struct oc_party_member *last = &party.items[0];

        (void)snprintf(
            out, out_bytes, "%s %s",
            oc_timespec_short(last->end_unix_ms < INT64_MAX ? last->end_unix_ms
                                                            : last->last_unix_ms,
                              cli->now_unix_ms, time, sizeof(time)),
            oc_ending_text(last->end, last->status, last->killer, NULL, how, sizeof(how)));
    }
    oc_party_clear(&party);
}

struct check {
    struct oc_cli *cli;
    const char *word;
    struct oc_alert_list alerts;
    struct oc_outlook outlook;
    struct oc_outlook_choice choice;
    struct oc_behind_list behind;
    char ended[400];
};

static int load(struct check *check, oc_reader *reader)
{
    struct oc_alert_filter filter = { .now_only = 1, .until_unix_ms = INT64_MAX };
    int rc = oc_outlook_load(&check->outlook, reader, check->cli->now_unix_ms);

    if (!rc)
        rc = oc_alert_list_load(&check->alerts, reader, &filter, 0);
    if (!rc)
        rc = oc_behind_load(reader, &check->behind);
    if (!rc && check->word)
        rc = oc_outlook_choose(&check->choice, &check->outlook, check->word);
    if (rc)
        return rc;
    if (check->word && !check->choice.subject)
        read_end(check->cli, reader, check->word, check->ended, sizeof(check->ended));
    keep_meant(&check->alerts, &check->outlook, check->word);
    oc_alert_list_sort(&check->alerts);
    return OC_OK;
}

static int answer(struct check *check)
{
    struct oc_check_facts facts = { .word = check->word,
                                    .alerts = check->alerts.items,
                                    .alert_count = check->alerts.count,
                                    .outlook = &check->outlook,
                                    .choice = check->word ? &check->choice : NULL,
                                    .behind = &check->behind,
                                    .sources = check->outlook.count,
                                    .ended = check->ended };
    enum oc_check_state state = oc_check_line(&facts, &check->cli->out);

    oc_buf_putc(&check->cli->out, '\n');
    return (int)state;
}

/* ---- the command ---- */

static int say_unknown(struct oc_cli *cli, const char *why)
{
    oc_check_unknown(why, &cli->out);
    oc_buf_putc(&cli->out, '\n');
    return OC_CHECK_UNKNOWN;
}

static int no_store(struct oc_cli *cli, int rc, const struct oc_detail *detail)
{
    char why[1600];

    if (rc == OC_E_NOENT)
        (void)snprintf(why, sizeof(why),
                       "no store at %s: oomcastd has not run here, or --db names it", cli->db_path);
    else
        (void)snprintf(why, sizeof(why), "cannot read %s: %s", cli->db_path,
                       detail->text[0] ? detail->text : oc_err_text(rc));
    return say_unknown(cli, why);
}

static int run_check(struct oc_cli *cli)
{
    struct check check = { .cli = cli, .word = cli->arg_count ? cli->args[0] : NULL };
    struct oc_detail detail = { 0 };
    oc_reader *reader = NULL;
    int exit_code, rc;

    oc_cli_find_store(cli);
    rc = oc_reader_open(cli->db_path, &reader, &detail);
    if (rc)
        return no_store(cli, rc, &detail);
    rc = load(&check, reader);
    exit_code = rc ? say_unknown(cli, oc_err_text(rc)) : answer(&check);
    oc_outlook_choice_clear(&check.choice);
    oc_outlook_clear(&check.outlook);
    oc_alert_list_clear(&check.alerts);
    oc_reader_close(reader);
    return exit_code;
}

static const struct oc_cli_example check_examples[] = {
    { "oomcast check", "the worst of all that is watched" },
    { "oomcast check unit:shop.service", "one subject, and the cgroups that it lies in" },
    { "oomcast check 'pool:*'", "several" },
    { 0 },
};

const struct oc_cli_command oc_cmd_check = {
    .name = "check",
    .summary = "a plugin for Nagios, Icinga and their kin: one line and an exit code",
    .usage = "[OPTION]... [SUBJECT|PID]",
    .text =
        "Says what alerts say: a warning that fires is WARNING, a critical one CRITICAL. What is "
        "pending, silenced or otherwise muted is counted and does not alarm. A subject answers for "
        "the cgroups that it lies in too. Nothing known is UNKNOWN, never OK: no store, a store "
        "that nobody writes, a subject that does not run.\n\n"
        "It reads the store alone; its user must be allowed to (a member of the group oomcast). "
        "Figures behind the '|': alerts by kind, the age of the newest sample in seconds, of a "
        "subject the figure that runs into its nearest limit, and the time to it in seconds.",
    .plugin_exits = "0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (also where the command line is wrong)",
    .common = OC_CLI_HAS_DB,
    .examples = check_examples,
    .max_args = 1,
    .refuse = say_unknown,
    .run = run_check,
};
