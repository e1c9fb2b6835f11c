/* oomcast regions: what an address space is made of, as WinDbg's !address says it. */
#include "cli/model/regions.h"
#include "cli/cli.h"
#include "cli/commands/look.h"
#include "cli/commands/regions_view.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FLUSH_BYTES (1u << 20)

/* ---- a process of this machine ---- */

struct listing {
    struct oc_cli *cli;
    struct oc_json json;
    int rc; /* the first failure of writing */
};

static void flush_long(struct listing *listing)
{
    if (!listing->rc && listing->cli->out.len_bytes > FLUSH_BYTES)
        listing->rc = oc_cli_flush(listing->cli);
}

static void list_text(const struct oc_region *region, void *context)
{
    struct listing *listing = context;

    oc_regions_list_line(listing->cli, region, oc_cli_has(listing->cli, "resident"));
    flush_long(listing);
}

static void list_json(const struct oc_region *region, void *context)
{
    struct listing *listing = context;

    oc_regions_json_region(&listing->json, region);
    flush_long(listing);
}

static void begin_list(struct listing *listing, struct oc_walk_request *request)
{
    if (listing->cli->format == OC_FORMAT_JSON) {
        oc_json_key(&listing->json, "regions");
        oc_json_array(&listing->json);
        request->on_region = list_json;
    } else {
        oc_regions_list_head(listing->cli, oc_cli_has(listing->cli, "resident"));
        request->on_region = list_text;
    }
    request->context = listing;
}

static int put_tables(struct oc_cli *cli, const struct oc_walk *walk,
                      const struct oc_regions *regions)
{
    int rc;

    oc_look_head(cli, walk);
    rc = oc_regions_tables(cli, regions);
    oc_buf_putc(&cli->out, '\n');
    oc_regions_notes(cli, regions);
    oc_look_cost(cli, walk);
    return rc;
}

static void put_json(struct oc_cli *cli, struct oc_json *json, const struct oc_walk *walk,
                     const struct oc_regions *regions)
{
    oc_json_put_u64(json, "pid", walk->facts.id.pid);
    oc_json_put_str(json, "name", walk->facts.name);
    oc_json_put_time(json, "time", cli->now_unix_ms);
    if (walk->census.runtime[0])
        oc_json_put_str(json, "runtime", walk->census.runtime);
    oc_json_put_bool(json, "is_32bit", walk->census.is_32bit);
    oc_regions_json(json, regions);
    oc_look_json_cost(json, walk);
    oc_json_object_end(json);
    oc_buf_putc(&cli->out, '\n');
}

static int answer_live(struct listing *listing, const struct oc_walk *walk)
{
    struct oc_cli *cli = listing->cli;
    struct oc_regions regions = { 0 };
    int rc = listing->rc;

    oc_regions_add(&regions, &walk->census);
    if (!walk->census.has_regions || regions.busy_bytes == 0) {
        oc_buf_reset(&cli->out);
        return oc_look_hidden(cli, walk);
    }
    if (cli->format == OC_FORMAT_JSON) {
        if (oc_cli_has(cli, "list"))
            oc_json_array_end(&listing->json);
        put_json(cli, &listing->json, walk, &regions);
    } else if (!oc_cli_has(cli, "list")) {
        rc = rc ? rc : put_tables(cli, walk, &regions);
    }
    return rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

static int run_live(struct oc_cli *cli, uint32_t pid)
{
    struct oc_walk_request request = { .pid = pid,
                                       .want = OC_WALK_FACTS | OC_WALK_COUNTS | OC_WALK_REGIONS };
    struct listing listing = { .cli = cli };
    struct oc_walk *walk = oc_calloc(1, sizeof(*walk)); /* a dozen KiB */
    int exit_code;

    if (!walk)
        return oc_cli_error(cli, "%s", oc_err_text(OC_E_NOMEM));
    if (oc_cli_has(cli, "resident"))
        request.want |= OC_WALK_RESIDENT;
    oc_json_init(&listing.json, &cli->out);
    if (cli->format == OC_FORMAT_JSON)
        oc_json_object(&listing.json);
    if (oc_cli_has(cli, "list"))
        begin_list(&listing, &request);
    exit_code = oc_look_walk(cli, &request, walk);
    if (!exit_code) {
        exit_code = answer_live(&listing, walk);
        oc_walk_clear(walk);
    }
    oc_free(walk);
    return exit_code;
}

/* ---- from the store ---- */

struct stored {
    struct oc_cli *cli;
    struct oc_party party;
    struct oc_regions sum;
    struct oc_regions *each; /* owned; of each member */
    int64_t *walked_unix_ms; /* owned; 0: never by then */
    size_t walked;
    char runtime[16]; /* of the last that has one */
};

static int load_stored(struct stored *stored, oc_reader *reader, int64_t at_unix_ms)
{
    int rc = OC_OK;

    stored->each = oc_calloc(stored->party.count, sizeof(*stored->each));
    stored->walked_unix_ms = oc_calloc(stored->party.count, sizeof(*stored->walked_unix_ms));
    if (!stored->each || !stored->walked_unix_ms)
        return OC_E_NOMEM;
    for (size_t i = 0; i < stored->party.count && !rc; i++) {
        struct oc_census census = { 0 };

        rc = oc_reader_census(reader, stored->party.items[i].source, at_unix_ms, 0, &census,
                              &stored->walked_unix_ms[i]);
        if (rc == OC_OK && census.has_regions) {
            oc_regions_add(&stored->each[i], &census);
            oc_regions_add(&stored->sum, &census);
            if (census.runtime[0])
                (void)oc_text_copy(stored->runtime, sizeof(stored->runtime), census.runtime);
            stored->walked++;
        } else {
            stored->walked_unix_ms[i] = 0;
        }
        if (rc == OC_E_NOENT)
            rc = OC_OK;
        oc_census_clear(&census);
    }
    return rc;
}

static void ended_text(struct oc_cli *cli, const struct oc_party_member *member)
{
    char time[32];

    if (member->end_unix_ms == INT64_MAX)
        return;
    oc_buf_printf(&cli->out, ", ended %s",
                  oc_timespec_short(member->end_unix_ms, cli->now_unix_ms, time, sizeof(time)));
}

static int put_members(struct stored *stored)
{
    static const struct oc_column columns[] = {
        { "PROCESS", OC_ALIGN_LEFT, 32, OC_SHRINKS }, { "PID", OC_ALIGN_RIGHT, 0, 0 },
        { "REGIONS", OC_ALIGN_RIGHT, 0, OC_GOES(1) }, { "SIZE", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
        { "COMMITTED", OC_ALIGN_RIGHT, 0, 0 },        { "UNEXPLAINED", OC_ALIGN_RIGHT, 0, 0 },
        { "WALK", OC_ALIGN_RIGHT, 0, OC_GOES(3) },    { 0 },
    };
    struct oc_cli *cli = stored->cli;
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < stored->party.count; i++) {
        const struct oc_party_member *member = &stored->party.items[i];
        const struct oc_regions *regions = &stored->each[i];
        uint64_t count = 0;
        char text[32];

        oc_table_cell(&table, member->subject);
        oc_table_cellf(&table, "%" PRIu32, member->pid);
        if (stored->walked_unix_ms[i] == 0) {
            for (int c = 0; c < 5; c++)
                oc_table_cell(&table, NULL);
            continue;
        }
        for (unsigned usage = OC_USAGE_FREE + 1; usage < OC_USAGE_COUNT; usage++)
            count += regions->usages[usage].count;
        oc_table_cellf(&table, "%" PRIu64, count);
        oc_table_bytes(&table, (int64_t)regions->busy_bytes);
        oc_table_bytes(&table, (int64_t)regions->commit_bytes);
        oc_table_bytes(&table, (int64_t)regions->unexplained_bytes);
        oc_table_cell(&table, oc_timespec_short(stored->walked_unix_ms[i], cli->now_unix_ms, text,
                                                sizeof(text)));
    }
    rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    oc_buf_printf(&cli->out, "\nAll %zu processes that were walked, summed up:\n\n",
                  stored->walked);
    return rc;
}

static int put_stored(struct stored *stored)
{
    struct oc_cli *cli = stored->cli;
    const struct oc_party_member *member = &stored->party.items[0];
    char text[80];
    int rc = OC_OK;

    if (stored->party.count > 1) {
        rc = put_members(stored);
    } else {
        oc_buf_escaped(&cli->out, member->subject);
        oc_buf_printf(&cli->out, " (pid %" PRIu32 ")", member->pid);
        ended_text(cli, member);
        oc_buf_printf(&cli->out, ": %s%s%s\n\n",
                      oc_look_age(cli, stored->walked_unix_ms[0], text, sizeof(text)),
                      stored->runtime[0] ? ", runtime " : "", stored->runtime);
    }
    if (!rc)
        rc = oc_regions_tables(cli, &stored->sum);
    oc_buf_putc(&cli->out, '\n');
    oc_regions_notes(cli, &stored->sum);
    return rc;
}

static int json_stored(struct stored *stored)
{
    struct oc_json json;

    oc_json_init(&json, &stored->cli->out);
    oc_json_object(&json);
    oc_json_key(&json, "processes");
    oc_json_array(&json);
    for (size_t i = 0; i < stored->party.count; i++) {
        const struct oc_party_member *member = &stored->party.items[i];

        oc_json_object(&json);
        oc_json_put_str(&json, "subject", member->subject);
        oc_json_put_u64(&json, "source", member->source);
        oc_json_put_u64(&json, "pid", member->pid);
        oc_json_put_time(&json, "begin", member->begin_unix_ms);
        oc_json_put_time(&json, "end", member->end_unix_ms);
        oc_json_put_time(&json, "time", stored->walked_unix_ms[i]);
        if (stored->walked_unix_ms[i] && stored->party.count > 1)
            oc_regions_json(&json, &stored->each[i]);
        oc_json_object_end(&json);
    }
    oc_json_array_end(&json);
    if (stored->runtime[0])
        oc_json_put_str(&json, "runtime", stored->runtime);
    oc_regions_json(&json, &stored->sum);
    oc_json_object_end(&json);
    oc_buf_putc(&stored->cli->out, '\n');
    return OC_OK;
}

static int answer_stored(struct stored *stored, oc_reader *reader, int64_t at_unix_ms)
{
    int rc = load_stored(stored, reader, at_unix_ms);

    if (rc)
        return oc_cli_error(stored->cli, "%s", oc_err_text(rc));
    if (stored->walked == 0)
        return oc_look_no_walk(stored->cli, &stored->party, at_unix_ms);
    rc = stored->cli->format == OC_FORMAT_JSON ? json_stored(stored) : put_stored(stored);
    return rc ? oc_cli_error(stored->cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

static int run_stored(struct oc_cli *cli, int64_t at_unix_ms)
{
    struct stored stored = { .cli = cli };
    oc_reader *reader = NULL;
    int exit_code;

    if (oc_cli_has(cli, "list") || oc_cli_has(cli, "resident"))
        return oc_cli_usage(cli,
                            "--%s looks at a process now: give its PID, without --at; the "
                            "store keeps totals",
                            oc_cli_has(cli, "list") ? "list" : "resident");
    exit_code = oc_look_party(cli, cli->args[0], at_unix_ms, &reader, &stored.party);
    if (exit_code)
        return exit_code;
    exit_code = answer_stored(&stored, reader, at_unix_ms);
    oc_reader_close(reader);
    oc_party_clear(&stored.party);
    oc_free(stored.each);
    oc_free(stored.walked_unix_ms);
    return exit_code;
}

static int run_regions(struct oc_cli *cli)
{
    uint32_t pid = oc_party_pid(cli->args[0]);

    if (pid && !oc_cli_has(cli, "at"))
        return run_live(cli, pid);
    return run_stored(cli, oc_cli_number(cli, "at", INT64_MAX));
}

static const struct oc_cli_option regions_options[] = {
    { "at", 0, OC_CLI_TIME, "TIME", "what the store's last walk by then found", NULL },
    { "list", 'l', OC_CLI_FLAG, NULL, "every region of a PID, by its address", NULL },
    { "resident", 'r', OC_CLI_FLAG, NULL,
      "RAM too: the kernel walks page tables, which stalls the process", NULL },
    { 0 },
};

static const struct oc_cli_example regions_examples[] = {
    { "oomcast regions 1234", "any process, with no daemon and no config" },
    { "oomcast regions nginx --at yesterday", "what the store knows of then" },
    { "oomcast regions 1234 --list | sort -k2 -h", "region by region" },
    { "oomcast regions 1234 --json | jq '.usages[] | [.usage, .commit_bytes]'", "for a script" },
    { 0 },
};

const struct oc_cli_command oc_cmd_regions = {
    .name = "regions",
    .summary = "what an address space is made of: by usage, type, state",
    .usage = "[OPTION]... PID|SUBJECT",
    .text =
        "As WinDbg's !address -summary: every region of address space counted once by its usage, "
        "its type and its state. A PID is looked at now; a subject, or a PID with --at, is "
        "answered from the store's walks, several processes with a line each and summed up.\n\n"
        "SIZE is address space, COMMITTED what may be touched without asking the kernel again; "
        "reservations (of a JVM or a garbage collector, say) have size only. %BUSY is the share of "
        "all that is mapped: of the 128 TiB that a 64-bit process may map, every share would be 0. "
        "A 32-bit process has %TOTAL too. \"Private\" is anonymous memory that nothing explains.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON | OC_CLI_HAS_ROOT,
    .options = regions_options,
    .examples = regions_examples,
    .min_args = 1,
    .max_args = 1,
    .run = run_regions,
};
