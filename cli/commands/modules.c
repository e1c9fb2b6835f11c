/* oomcast modules: what code is mapped, folded to families, and how fast they grow. */
#include "cli/cli.h"
#include "cli/commands/look.h"
#include "cli/commands/modules_view.h"
#include "cli/model/families.h"

#include "base/alloc.h"

#include <inttypes.h>

#define DEFAULT_MODULES 100
#define DEFAULT_FAMILIES 15 /* of each kind */
#define GROWTH_SPAN_MS INT64_C(86400000)
#define JSON_FAMILY_KINDS (1u << OC_FAMILY_MODULE) /* of the plain question */

enum sort { SORT_GROWTH, SORT_BYTES, SORT_COUNT, SORT_NAME, SORT_AGE, SORT_BASE };
static const char *const sort_words[] = { "growth", "bytes", "count", "name", "age", "base", NULL };

struct answer {
    struct oc_cli *cli;
    struct oc_party party;   /* from the store; of a PID's look at most one */
    struct oc_walk *walk;    /* a look now; NULL: from the store */
    struct oc_census census; /* of one process, modules too */
    struct oc_family_rows families;
    struct oc_modules modules;
    size_t walked;
    int64_t walked_unix_ms; /* the newest of the walks that were used */
    oc_reader *reader;      /* NULL: none that can be read */
};

static int is_json(const struct answer *answer) { return answer->cli->format == OC_FORMAT_JSON; }

static int wants_families(const struct answer *answer)
{
    return oc_cli_has(answer->cli, "families");
}

static enum sort sort_of(const struct answer *answer, enum sort otherwise)
{
    return (enum sort)oc_cli_number(answer->cli, "sort", otherwise);
}

static size_t limit_of(const struct answer *answer, size_t otherwise)
{
    return (size_t)oc_cli_number(answer->cli, "limit", (int64_t)otherwise);
}

static const struct oc_census *census_of(const struct answer *answer)
{
    return answer->walk ? &answer->walk->census : &answer->census;
}

/* ---- JSON ---- */

static void json_head(struct answer *answer, struct oc_json *json)
{
    if (answer->walk) {
        oc_json_put_u64(json, "pid", answer->walk->facts.id.pid);
        oc_json_put_str(json, "name", answer->walk->facts.name);
        oc_look_json_cost(json, answer->walk);
    } else {
        oc_json_put_str(json, "subject", answer->party.items[0].subject);
        if (answer->party.count == 1)
            oc_json_put_u64(json, "pid", answer->party.items[0].pid);
        oc_json_put_u64(json, "processes", answer->walked);
    }
    oc_json_put_time(json, "time", answer->walked_unix_ms);
}

static int put_json(struct answer *answer)
{
    struct oc_json json;
    int rc = OC_OK;

    oc_json_init(&json, &answer->cli->out);
    oc_json_object(&json);
    json_head(answer, &json);
    oc_modules_json_families(&json, &answer->families,
                             wants_families(answer) ? ~0u : JSON_FAMILY_KINDS);
    if (!wants_families(answer))
        rc = oc_modules_json_list(answer->cli, &json, &answer->modules);
    oc_json_object_end(&json);
    oc_buf_putc(&answer->cli->out, '\n');
    return rc;
}

/* ---- putting it together ---- */

static void put_head(struct answer *answer)
{
    struct oc_cli *cli = answer->cli;
    const struct oc_party_member *member = answer->party.items;
    char text[80];

    if (answer->walk) {
        oc_look_head(cli, answer->walk);
        return;
    }
    oc_buf_escaped(&cli->out, member->subject);
    if (answer->party.count == 1)
        oc_buf_printf(&cli->out, " (pid %" PRIu32 ")", member->pid);
    else
        oc_buf_printf(&cli->out, ", %zu processes summed up", answer->walked);
    oc_buf_printf(&cli->out, ": %s\n\n",
                  oc_look_age(cli, answer->walked_unix_ms, text, sizeof(text)));
}

static enum oc_module_sort module_sort(const struct answer *answer)
{
    switch (sort_of(answer, SORT_BYTES)) {
    case SORT_GROWTH:
    case SORT_COUNT:
        return OC_MODULES_BY_COUNT;
    case SORT_NAME:
        return OC_MODULES_BY_NAME;
    case SORT_AGE:
        return OC_MODULES_BY_AGE;
    case SORT_BASE:
        return OC_MODULES_BY_BASE;
    case SORT_BYTES:
        break;
    }
    return OC_MODULES_BY_BYTES;
}

static enum oc_family_sort family_sort(const struct answer *answer)
{
    switch (sort_of(answer, SORT_GROWTH)) {
    case SORT_BYTES:
        return OC_FAMILIES_BY_BYTES;
    case SORT_COUNT:
        return OC_FAMILIES_BY_COUNT;
    case SORT_NAME:
        return OC_FAMILIES_BY_NAME;
    case SORT_GROWTH:
    case SORT_AGE:
    case SORT_BASE:
        break;
    }
    return OC_FAMILIES_BY_GROWTH;
}

static int list_modules(struct answer *answer)
{
    int each = is_json(answer) || oc_cli_has(answer->cli, "all");
    int rc = oc_modules_of(&answer->modules, census_of(answer),
                           each ? OC_MODULES_EACH : OC_MODULES_FOLDED);

    if (!rc && answer->reader && answer->party.count == 1)
        rc = oc_modules_since(&answer->modules, census_of(answer), answer->reader,
                              answer->party.items[0].source, answer->walked_unix_ms);
    if (!rc)
        oc_modules_sort(&answer->modules, module_sort(answer));
    return rc;
}

static int print(struct answer *answer)
{
    int rc = OC_OK;

    oc_family_rows_sort(&answer->families, family_sort(answer));
    if (!wants_families(answer))
        rc = list_modules(answer);
    if (rc)
        return rc;
    if (is_json(answer))
        return put_json(answer);
    put_head(answer);
    if (wants_families(answer))
        rc = oc_modules_put_families(answer->cli, &answer->families,
                                     limit_of(answer, DEFAULT_FAMILIES));
    else
        rc = oc_modules_put_list(answer->cli, &answer->modules, limit_of(answer, DEFAULT_MODULES));
    if (answer->walk)
        oc_look_cost(answer->cli, answer->walk);
    return rc;
}

static int load_growth(struct answer *answer)
{
    int rc = OC_OK;

    for (size_t i = 0; answer->reader && i < answer->party.count && !rc; i++)
        rc = oc_family_rows_growth(&answer->families, answer->reader, answer->party.items[i].source,
                                   answer->walked_unix_ms - GROWTH_SPAN_MS, answer->walked_unix_ms);
    return rc;
}

/* ---- a process of this machine ---- */

/* The store is a help here, not a need: a machine without one has no growth and no times. */
static void look_in_store(struct answer *answer)
{
    struct oc_detail detail;
    const struct oc_proc_id *id = &answer->walk->facts.id;
    int rc;

    oc_cli_find_store(answer->cli);
    if (oc_reader_open(answer->cli->db_path, &answer->reader, &detail)) {
        answer->reader = NULL;
        return;
    }
    rc = oc_party_load(&answer->party, answer->reader, answer->cli->args[0], INT64_MAX, &detail);
    if (rc || answer->party.count != 1 || answer->party.has_ended ||
        answer->party.items[0].start_ticks != id->start_ticks)
        oc_party_clear(&answer->party); /* another process of that number */
}

static int answer_live(struct answer *answer)
{
    int rc;

    if (!answer->walk->census.has_modules && !answer->walk->census.has_families)
        return oc_look_hidden(answer->cli, answer->walk);
    if (!answer->walk->census.has_modules && !wants_families(answer))
        return oc_look_hidden(answer->cli, answer->walk);
    answer->walked = 1;
    answer->walked_unix_ms = answer->cli->now_unix_ms;
    look_in_store(answer);
    rc = oc_family_rows_add(&answer->families, &answer->walk->census);
    if (!rc)
        rc = load_growth(answer);
    if (!rc)
        rc = print(answer);
    return rc ? oc_cli_error(answer->cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

static int run_live(struct answer *answer, uint32_t pid)
{
    struct oc_walk_request request = {
        .pid = pid,
        .want =
            OC_WALK_FACTS | OC_WALK_COUNTS | OC_WALK_REGIONS | OC_WALK_MODULES | OC_WALK_FAMILIES,
    };
    struct oc_walk *walk = oc_calloc(1, sizeof(*walk)); /* a dozen KiB */
    int exit_code;

    if (!walk)
        return oc_cli_error(answer->cli, "%s", oc_err_text(OC_E_NOMEM));
    exit_code = oc_look_walk(answer->cli, &request, walk);
    if (!exit_code) {
        answer->walk = walk;
        exit_code = answer_live(answer);
        oc_walk_clear(walk);
    }
    oc_free(walk);
    return exit_code;
}

/* ---- from the store ---- */

static int load_stored(struct answer *answer, int64_t at_unix_ms)
{
    int only = answer->party.count == 1;
    int rc = OC_OK;

    for (size_t i = 0; i < answer->party.count && !rc; i++) {
        struct oc_census census = { 0 };
        int64_t t_ms = 0;

        rc = oc_reader_census(answer->reader, answer->party.items[i].source, at_unix_ms,
                              only && !wants_families(answer), &census, &t_ms);
        if (rc == OC_OK) {
            rc = oc_family_rows_add(&answer->families, &census);
            answer->walked++;
            if (t_ms > answer->walked_unix_ms)
                answer->walked_unix_ms = t_ms;
        } else if (rc == OC_E_NOENT) {
            rc = OC_OK;
        }
        if (only)
            oc_census_move(&census, &answer->census);
        oc_census_clear(&census);
    }
    return rc;
}

static int tell_to_choose(struct answer *answer)
{
    struct oc_buf pids;
    int exit_code;

    oc_buf_init(&pids, 400);
    for (size_t i = 0; i < answer->party.count && i < 10; i++)
        oc_buf_printf(&pids, "%s%" PRIu32, i ? ", " : "", answer->party.items[i].pid);
    exit_code = oc_cli_error(answer->cli,
                             "%s is %zu processes; name one by its PID (%s%s), or let --families "
                             "sum them up",
                             answer->cli->args[0], answer->party.count, pids.data ? pids.data : "",
                             answer->party.count > 10 ? " ..." : "");
    oc_buf_clear(&pids);
    return exit_code;
}

static int run_stored(struct answer *answer, int64_t at_unix_ms)
{
    struct oc_cli *cli = answer->cli;
    int exit_code = oc_look_party(cli, cli->args[0], at_unix_ms, &answer->reader, &answer->party);
    int rc;

    if (exit_code)
        return exit_code;
    if (answer->party.count > 1 && !wants_families(answer))
        return tell_to_choose(answer);
    rc = load_stored(answer, at_unix_ms);
    if (!rc && answer->walked == 0)
        return oc_look_no_walk(cli, &answer->party, at_unix_ms);
    if (!rc)
        rc = load_growth(answer);
    if (!rc)
        rc = print(answer);
    return rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

static int run_modules(struct oc_cli *cli)
{
    struct answer answer = { .cli = cli };
    uint32_t pid = oc_party_pid(cli->args[0]);
    int exit_code;

    if (pid && !oc_cli_has(cli, "at"))
        exit_code = run_live(&answer, pid);
    else
        exit_code = run_stored(&answer, oc_cli_number(cli, "at", INT64_MAX));
    oc_family_rows_clear(&answer.families);
    oc_modules_clear(&answer.modules);
    oc_census_clear(&answer.census);
    oc_party_clear(&answer.party);
    oc_reader_close(answer.reader);
    return exit_code;
}

static const struct oc_cli_option modules_options[] = {
    { "families", 'f', OC_CLI_FLAG, NULL,
      "families of modules, mappings, threads and descriptors, with their growth", NULL },
    { "all", 'a', OC_CLI_FLAG, NULL, "every module, none folded into its family", NULL },
    { "at", 0, OC_CLI_TIME, "TIME", "what the store's last walk by then found", NULL },
    { "sort", 's', OC_CLI_WORD, "ORDER", "bytes; of families growth", sort_words },
    { "limit", 'n', OC_CLI_INT, "N", "at most so many; 100, of each kind of families 15, 0 is all",
      NULL },
    { 0 },
};

static const struct oc_cli_example modules_examples[] = {
    { "oomcast modules 1234", "any process, with no daemon and no config" },
    { "oomcast modules --families shop", "what grows: modules, mappings, threads, descriptors" },
    { "oomcast modules nginx --at yesterday --all", "every module of then, with its times" },
    { "oomcast modules 1234 --json | jq '.modules[] | select(.is_deleted) | .name'",
      "programs and libraries that were replaced on disk" },
    { 0 },
};

const struct oc_cli_command oc_cmd_modules = {
    .name = "modules",
    .summary = "programs and libraries in a process, by family; what multiplies",
    .usage = "[OPTION]... PID|SUBJECT",
    .text =
        "A module is a file that is mapped with code in it. Modules whose names are one once "
        "generated parts are taken out (\"qrt-x6cw.dll\", \"qrt-9b2k.dll\": \"qrt-*.dll\"), or one "
        "name many times, are a family and stand in one row; --all parts them.\n\n"
        "--families does the same for other mappings, for threads by their names and for open "
        "descriptors. Where a daemon watches the process, growth an hour over the last day and "
        "since when a module is loaded come from its store.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON | OC_CLI_HAS_ROOT,
    .options = modules_options,
    .examples = modules_examples,
    .min_args = 1,
    .max_args = 1,
    .run = run_modules,
};
