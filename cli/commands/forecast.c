/* oomcast forecast: when what runs out, and how sure that is. */
#include "base/ahead.h"
#include "cli/cli.h"
#include "cli/commands/forecast_view.h"
#include "cli/model/party.h"
#include "cli/show/ending.h"
#include "cli/show/timespec.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define FILE_POINTS 400
#define MAX_CHART_COLUMNS 140

/* ---- of all subjects, or those of a glob ---- */

static int print_list(struct oc_cli *cli, const struct oc_forecast_list *list)
{
    int rc = OC_OK;

    if (cli->format == OC_FORMAT_JSON)
        oc_forecast_list_json(cli, list);
    else if (cli->format == OC_FORMAT_CSV)
        oc_forecast_csv(cli, list);
    else
        rc = oc_forecast_table(cli, list);
    return rc;
}

static int answer_all(struct oc_cli *cli, const struct oc_outlook *outlook, const char *word)
{
    struct oc_outlook_subject *items = NULL;
    struct oc_forecast_list list = { .outlook = outlook, .all = word || oc_cli_has(cli, "all") };
    size_t count = 0;
    int rc = oc_outlook_subjects(outlook, &items, &count, &list.unsaid);

    if (word)
        list.unsaid = 0; /* of others too */
    for (size_t i = 0; i < count && !rc; i++) {
        if (!word || strcmp(items[i].name, word) == 0 || oc_subject_is_meant(items[i].name, word))
            items[list.count++] = items[i];
    }
    list.items = items;
    if (!rc && oc_cli_has(cli, "plot"))
        rc = OC_E_INVAL;
    if (rc == OC_E_INVAL)
        rc = oc_cli_usage(cli, "--plot draws one subject: name it");
    else if (!rc)
        rc = print_list(cli, &list);
    oc_free(items);
    return rc < 0 ? oc_cli_error(cli, "%s", oc_err_text(rc)) : rc;
}

/* ---- what a leak began with ---- */

struct before {
    const struct oc_outlook_source *source;
    int64_t until_unix_ms;         /* lives that began earlier are before it */
    struct oc_party_member member; /* the last of them */
    char exe[512], own_exe[512];
    int found;
};

static int take_before(const struct oc_life_row *row, void *context)
{
    struct before *before = context;

    if (row->source == before->source->source)
        (void)oc_text_copy(before->own_exe, sizeof(before->own_exe), row->facts.exe);
    if (row->kind != OC_SOURCE_PROCESS || row->end_unix_ms == INT64_MAX ||
        row->begin_unix_ms >= before->until_unix_ms || !row->facts.exe[0] ||
        (before->found && row->begin_unix_ms < before->member.begin_unix_ms))
        return 0;
    before->found = 1;
    before->member.source = row->source;
    before->member.kind = row->kind;
    before->member.begin_unix_ms = row->begin_unix_ms;
    before->member.last_unix_ms = row->last_unix_ms;
    (void)oc_text_copy(before->exe, sizeof(before->exe), row->facts.exe);
    return 0;
}

/* Whether the life before grew as well: then nothing began with this one. */
static int grew(oc_reader *reader, const struct oc_party_member *member)
{
    struct oc_outlook outlook = { 0 };
    int moved = 0;

    if (oc_outlook_load_member(&outlook, reader, member) == OC_OK)
        moved = outlook.sources[0].best != OC_OUTLOOK_NONE &&
                oc_outlook_is_moving(&outlook.rows[outlook.sources[0].best]);
    oc_outlook_clear(&outlook);
    return moved;
}

/* Another program under the same name, or another build of it, and what ran before did not leak. */
static void find_began(const struct oc_cli *cli, struct oc_forecast_answer *answer,
                       oc_reader *reader)
{
    const struct oc_outlook_row *own = answer->choice->own;
    struct before before = { 0 };
    struct oc_life_filter filter = { .processes_only = 1, .until_unix_ms = INT64_MAX };
    struct oc_prior_program program = { 0 };
    char time[32];

    if (!own || !oc_outlook_is_moving(own) ||
        answer->outlook->sources[own->source].kind != OC_SOURCE_PROCESS)
        return;
    before.source = &answer->outlook->sources[own->source];
    filter.subject = before.source->subject;
    (void)oc_reader_program(reader, filter.subject, &program); /* not known: zeroed */
    before.until_unix_ms = before.source->begin_unix_ms;
    if (program.since_unix_ms > 0 && program.since_unix_ms < before.until_unix_ms)
        before.until_unix_ms = program.since_unix_ms;
    if (oc_reader_lives(reader, &filter, take_before, &before) < 0 || !before.found ||
        !before.own_exe[0] || grew(reader, &before.member))
        return;
    if (strcmp(before.exe, before.own_exe) != 0)
        (void)snprintf(answer->began, sizeof(answer->began), "%.300s (before: %.300s)",
                       before.own_exe, before.exe);
    else if (program.since_unix_ms > 0)
        (void)snprintf(
            answer->began, sizeof(answer->began), "another build of %.300s, first run %s",
            before.own_exe,
            oc_timespec_short(program.since_unix_ms, cli->now_unix_ms, time, sizeof(time)));
}

/* Of the subject's lives that run: IIS has one plan for all workers of a pool. */
static int take_plan(const struct oc_life_row *row, void *context)
{
    struct oc_forecast_answer *answer = context;

    (void)oc_text_copy(answer->plan, sizeof(answer->plan), row->plan);
    return answer->plan[0] != '\0';
}

static void find_plan(struct oc_forecast_answer *answer, oc_reader *reader)
{
    const struct oc_life_filter filter = { .subject = answer->choice->subject,
                                           .running_only = 1,
                                           .processes_only = 1,
                                           .until_unix_ms = INT64_MAX };

    if (filter.subject && !answer->ended[0])
        (void)oc_reader_lives(reader, &filter, take_plan, answer); /* not known: none is told */
}

/* ---- of one subject ---- */

struct asked {
    struct oc_cli *cli;
    oc_reader *reader;
    struct oc_forecast_answer answer;
    struct oc_forecast_plot *plot; /* owned */
    struct oc_shares shares;
};

static const struct oc_outlook_row *pictured(const struct asked *asked)
{
    const struct oc_outlook_choice *choice = asked->answer.choice;
    int64_t metric = oc_cli_number(asked->cli, "metric", -1);

    for (size_t i = 0; i < choice->count && metric >= 0; i++) {
        if (choice->rows[i]->said.forecast.metric == metric)
            return choice->rows[i];
    }
    if (metric >= 0)
        return NULL;
    return asked->answer.binding ? asked->answer.binding : choice->own;
}

static int wants_picture(const struct oc_cli *cli)
{
    return cli->format == OC_FORMAT_JSON || cli->is_tty || oc_cli_has(cli, "chart") ||
           oc_cli_has(cli, "plot");
}

static int load_plot(struct asked *asked, const struct oc_outlook_row *row)
{
    const struct oc_cli *cli = asked->cli;
    size_t columns = (size_t)(cli->width < MAX_CHART_COLUMNS ? cli->width : MAX_CHART_COLUMNS);
    int to_file = cli->format == OC_FORMAT_JSON || oc_cli_has(cli, "plot");

    if (!row || !wants_picture(cli))
        return OC_OK;
    asked->plot = oc_calloc(1, sizeof(*asked->plot));
    if (!asked->plot)
        return OC_E_NOMEM;
    asked->answer.plot = asked->plot;
    return oc_forecast_plot_load(asked->plot, asked->reader, asked->answer.outlook, row,
                                 cli->since_unix_ms, to_file ? FILE_POINTS : columns * 2);
}

/* Of the cgroup that is asked about, or that binds. */
static int load_shares(struct asked *asked, const struct oc_outlook_row *row)
{
    const struct oc_outlook *outlook = asked->answer.outlook;
    int rc;

    if (!row || outlook->sources[row->source].kind != OC_SOURCE_CGROUP ||
        !oc_outlook_is_moving(row) || oc_forecast_unit(&row->said) != OC_UNIT_BYTES)
        return OC_OK;
    rc = oc_shares_load(&asked->shares, asked->reader, outlook, &outlook->sources[row->source],
                        row->said.forecast.metric, row->said.forecast.since_ms);
    if (rc)
        return rc == OC_E_NOENT ? OC_OK : rc;
    asked->answer.cgroup = &outlook->sources[row->source];
    asked->answer.shares = &asked->shares;
    return OC_OK;
}

static int print_answer(struct asked *asked)
{
    struct oc_cli *cli = asked->cli;
    const char *path = oc_cli_text(cli, "plot", NULL);
    int rc = path && asked->plot ? oc_forecast_svg(asked->plot, path) : OC_OK;

    if (rc)
        return oc_cli_error(cli, "cannot write %s: %s", path, oc_err_text(rc));
    if (path)
        oc_cli_note(cli, "wrote %s", path);
    if (cli->format == OC_FORMAT_JSON)
        oc_forecast_answer_json(cli, &asked->answer);
    else if (!path)
        rc = oc_forecast_answer_text(cli, &asked->answer);
    return rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

static int answer_one(struct oc_cli *cli, oc_reader *reader, const struct oc_outlook *outlook,
                      const struct oc_outlook_choice *choice, const char *ended)
{
    struct asked asked = { .cli = cli, .reader = reader };
    size_t binding = oc_outlook_binding(choice);
    const struct oc_outlook_row *row;
    int rc;

    asked.answer.outlook = outlook;
    asked.answer.choice = choice;
    asked.answer.binding = binding == OC_OUTLOOK_NONE ? NULL : choice->rows[binding];
    (void)oc_text_copy(asked.answer.ended, sizeof(asked.answer.ended), ended);
    row = pictured(&asked);
    if (!row)
        return oc_cli_error(cli,
                            "no %s of %s is forecast; without --metric all that is stands there",
                            oc_cli_text(cli, "metric", ""), choice->subject);
    find_began(cli, &asked.answer, reader);
    find_plan(&asked.answer, reader);
    rc = load_plot(&asked, row);
    if (!rc)
        rc = load_shares(&asked, row);
    rc = rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : print_answer(&asked);
    oc_shares_clear(&asked.shares);
    oc_free(asked.plot);
    return rc;
}

/* ---- of one that ended ---- */

/* "13:08:11 killed by SIGABRT, 20 min after this was said". */
static void say_end(struct oc_cli *cli, const struct oc_party_member *member,
                    const struct oc_outlook *outlook, char *out, size_t out_bytes)
{
    int64_t end_ms = member->end_unix_ms < INT64_MAX ? member->end_unix_ms : member->last_unix_ms;
    int64_t said_ms = outlook->row_count ? outlook->rows[0].said.forecast.t_ms : 0;
    char how[320], time[32], span[32];

    (void)oc_timespec_short(end_ms, cli->now_unix_ms, time, sizeof(time));
    (void)oc_ending_text(member->end, member->status, member->killer, NULL, how, sizeof(how));
    if (said_ms > 0 && end_ms > said_ms)
        (void)snprintf(out, out_bytes, "%s %s, %s after this was said", time, how,
                       oc_ahead_time((double)(end_ms - said_ms) / 1000.0, span, sizeof(span)));
    else
        (void)snprintf(out, out_bytes, "%s %s", time, how);
}

static int answer_ended(struct oc_cli *cli, oc_reader *reader, const char *word,
                        const struct oc_party_member *member)
{
    struct oc_outlook outlook = { 0 };
    struct oc_outlook_choice choice = { 0 };
    char ended[400];
    int rc = oc_outlook_load_member(&outlook, reader, member);

    if (!rc)
        rc = oc_outlook_choose(&choice, &outlook, word);
    say_end(cli, member, &outlook, ended, sizeof(ended));
    if (rc == OC_E_NOENT)
        rc = oc_cli_error(
            cli, "%s ended (%s) before anything was forecast of it; 'oomcast lives %s' lists it",
            member->subject, ended, word);
    else if (rc)
        rc = oc_cli_error(cli, "%s", oc_err_text(rc));
    else
        rc = answer_one(cli, reader, &outlook, &choice, ended);
    oc_outlook_choice_clear(&choice);
    oc_outlook_clear(&outlook);
    return rc;
}

/* Nothing of that name is forecast now: it ended, is too young, or is not known. */
static int answer_missing(struct oc_cli *cli, oc_reader *reader, const char *word)
{
    struct oc_party party = { 0 };
    struct oc_detail detail = { 0 };
    int rc = oc_party_load(&party, reader, word, INT64_MAX, &detail);

    if (rc)
        rc = oc_cli_error(cli, "%s", detail.text[0] ? detail.text : oc_err_text(rc));
    else if (party.has_ended)
        rc = answer_ended(cli, reader, word, &party.items[0]);
    else
        rc = oc_cli_error(cli,
                          "nothing is forecast of %s yet: it takes some minutes of samples; "
                          "'oomcast history %s' shows what there is",
                          party.items[0].subject, word);
    oc_party_clear(&party);
    return rc;
}

static int answer_word(struct oc_cli *cli, oc_reader *reader, const struct oc_outlook *outlook,
                       const char *word)
{
    struct oc_outlook_choice choice = { 0 };
    int rc = oc_outlook_choose(&choice, outlook, word);

    if (rc)
        rc = oc_cli_error(cli, "%s", oc_err_text(rc));
    else if (!choice.own)
        rc = answer_missing(cli, reader, word);
    else if (choice.subjects > 1)
        rc = answer_all(cli, outlook, word);
    else if (cli->format == OC_FORMAT_CSV)
        rc = answer_all(cli, outlook, choice.subject);
    else
        rc = answer_one(cli, reader, outlook, &choice, "");
    oc_outlook_choice_clear(&choice);
    return rc;
}

static int run_forecast(struct oc_cli *cli)
{
    struct oc_outlook outlook = { 0 };
    oc_reader *reader = NULL;
    int rc;

    if (oc_cli_open_store(cli, &reader))
        return OC_EXIT_ERROR;
    rc = oc_outlook_load(&outlook, reader, cli->now_unix_ms);
    if (rc)
        rc = oc_cli_error(cli, "%s", oc_err_text(rc));
    else if (cli->arg_count > 0)
        rc = answer_word(cli, reader, &outlook, cli->args[0]);
    else
        rc = answer_all(cli, &outlook, NULL);
    oc_outlook_clear(&outlook);
    oc_reader_close(reader);
    return rc;
}

static const struct oc_cli_option forecast_options[] = {
    { "all", 'a', OC_CLI_FLAG, NULL, "all subjects, not those alone that grow", NULL },
    { "metric", 'm', OC_CLI_METRIC, "METRIC", "draw this one instead of what is met first", NULL },
    { "since", 0, OC_CLI_TIME, "TIME", "where the picture begins; else soon before the growth",
      NULL },
    { "chart", 0, OC_CLI_FLAG, NULL, "the picture in a pipe too", NULL },
    { "plot", 0, OC_CLI_TEXT, "FILE.svg", "write the picture to a file", NULL },
    { 0 },
};

static const struct oc_cli_example forecast_examples[] = {
    { "oomcast forecast", "what grows, and when it is out; the soonest first" },
    { "oomcast forecast unit:shop.service", "one subject: each limit, how sure, and a picture" },
    { "oomcast forecast cgroup:/system.slice/shop.service", "who in a cgroup makes it grow" },
    { "oomcast forecast --all --csv > forecasts.csv", "all subjects, for a spreadsheet" },
    { "oomcast forecast shop --plot shop.svg", "the picture for a ticket" },
    { "oomcast forecast --json | jq '.forecasts[] | select(.time_to_limit_s.p50 < 86400) | "
      ".subject'",
      "who is out within a day" },
    { 0 },
};

const struct oc_cli_command oc_cmd_forecast = {
    .name = "forecast",
    .summary = "when what runs out, of what, and how sure that is",
    .usage = "[OPTION]... [SUBJECT|PID]",
    .text =
        "oomcastd forecasts each figure of each process, cgroup and the host against every limit "
        "that it can meet. TIME is how long it still takes, as likely as not; in eight cases of "
        "ten it lies within 10 % - 90 %, given that it goes on as it does. \"or never\": that it "
        "levels off before is as likely. The limit that is forecast to be met first is marked "
        "with '>'.\n\n"
        "States: learning (too few samples), flat, cyclic (it rises and falls back: a collected "
        "heap, the load of a day), warming (it grows slower and slower, as after each start), "
        "growing (not yet sure, or towards nothing), leaking (it will meet the limit), saved by "
        "restarts (it would die, but is restarted before: TIME in brackets is how long it would "
        "last), exhausted (the limit is met).\n\n"
        "What happens at the limit: dies at (the OOM killer comes), fails at (memory, threads or "
        "files are refused), stalls at (memory.high: slowed down, never killed), told at (a limit "
        "of your own). Times count from now: a forecast of an hour ago that said 3 h says 2 h. In "
        "the picture '=' (or a red line) is the limit and '.' (or the fan) where it is expected; "
        "the floor is what it never fell below since.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON | OC_CLI_HAS_CSV,
    .options = forecast_options,
    .examples = forecast_examples,
    .max_args = 1,
    .run = run_forecast,
};
