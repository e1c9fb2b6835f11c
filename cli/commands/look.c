#include "cli/commands/look.h"

#include "base/text.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEAD_COLUMNS 100 /* of a command line, where there is no terminal to say how wide it is */
#define MAX_NAMESAKES 8  /* that are named */
#define NS_PER_US 1000
#define NS_PER_MS 1000000

int oc_look_walk(struct oc_cli *cli, const struct oc_walk_request *request,
                 struct oc_walk *out_walk)
{
    struct oc_probe_options options = { .root = oc_cli_text(cli, "root", NULL) };
    int rc = oc_probe_walk(&options, request, out_walk);

    if (rc == OC_OK)
        return OC_EXIT_OK;
    if (!cli->out.err)
        oc_buf_reset(&cli->out); /* half a list is no answer */
    if (rc == OC_E_GONE || rc == OC_E_NOENT)
        return oc_cli_error(cli,
                            "no process %" PRIu32 " here; if it was watched, --at TIME asks the "
                            "store, and 'oomcast lives %" PRIu32 "' says how it ended",
                            request->pid, request->pid);
    if (rc == OC_E_DENIED)
        return oc_cli_error(cli,
                            "process %" PRIu32 " may not be looked at: run this as root (sudo); "
                            "'oomcast doctor %" PRIu32 "' says what is missing",
                            request->pid, request->pid);
    return oc_cli_error(cli, "cannot look at process %" PRIu32 ": %s", request->pid,
                        oc_err_text(rc));
}

int oc_look_hidden(struct oc_cli *cli, const struct oc_walk *walk)
{
    const char *user = walk->names.user;

    /* of another user's process the command line can be read */
    if (!walk->facts.cmdline[0] && !walk->facts.exe[0])
        return oc_cli_error(cli,
                            "%s (pid %" PRIu32 ") has no mappings: it is a thread of the kernel, "
                            "or just ended",
                            walk->facts.name, walk->facts.id.pid);
    return oc_cli_error(
        cli,
        "the mappings of %s (pid %" PRIu32 ") may not be read: it belongs to %s%s; run this as "
        "root (sudo) or as that user; 'oomcast doctor %" PRIu32 "' says what is missing",
        walk->facts.name, walk->facts.id.pid, user[0] ? "user " : "another user", user,
        walk->facts.id.pid);
}

static const char *runtime_text(const char *runtime)
{
    static const struct {
        const char *name, *text;
    } texts[] = { { "dotnet", "a .NET runtime" },
                  { "jvm", "a JVM" },
                  { "node", "Node.js" },
                  { "go", "a Go program" },
                  { "python", "Python" } };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(texts[i].name, runtime) == 0)
            return texts[i].text;
    }
    return runtime;
}

static void put_cut(struct oc_cli *cli, const char *text)
{
    size_t room = cli->is_tty ? (size_t)cli->width : HEAD_COLUMNS;
    struct oc_buf escaped;

    oc_buf_init(&escaped, 8192);
    oc_buf_escaped(&escaped, text);
    if (escaped.data && oc_text_columns(escaped.data) > room)
        oc_value_cut(escaped.data, room, cli->utf8, &cli->out);
    else
        oc_buf_puts(&cli->out, escaped.data ? escaped.data : "");
    oc_buf_putc(&cli->out, '\n');
    oc_buf_clear(&escaped);
}

void oc_look_head(struct oc_cli *cli, const struct oc_walk *walk)
{
    const struct oc_proc_facts *facts = &walk->facts;

    oc_buf_puts(&cli->out, cli->color ? "\033[1m" : "");
    oc_buf_escaped(&cli->out, facts->name);
    oc_buf_puts(&cli->out, cli->color ? "\033[0m" : "");
    oc_buf_printf(&cli->out, " (pid %" PRIu32 ")", facts->id.pid);
    if (walk->names.user[0]) {
        oc_buf_puts(&cli->out, " of ");
        oc_buf_escaped(&cli->out, walk->names.user);
    }
    if (walk->names.app_pool[0]) {
        oc_buf_puts(&cli->out, " in pool ");
        oc_buf_escaped(&cli->out, walk->names.app_pool);
    }
    if (walk->census.runtime[0])
        oc_buf_printf(&cli->out, ", %s", runtime_text(walk->census.runtime));
    if (walk->census.is_32bit)
        oc_buf_puts(&cli->out, ", 32-bit");
    if (oc_sample_has(&walk->sample, OC_METRIC_MAPPINGS))
        oc_buf_printf(&cli->out, ": %" PRId64 " mappings",
                      oc_sample_get(&walk->sample, OC_METRIC_MAPPINGS));
    if (oc_sample_has(&walk->sample, OC_METRIC_MODULES))
        oc_buf_printf(&cli->out, ", %" PRId64 " modules",
                      oc_sample_get(&walk->sample, OC_METRIC_MODULES));
    oc_buf_putc(&cli->out, '\n');
    if (facts->cmdline[0])
        put_cut(cli, facts->cmdline);
    oc_buf_putc(&cli->out, '\n');
}

/* Of a small process it is microseconds. */
static const char *stall_text(int64_t stall_ns, char *out, size_t out_bytes)
{
    if (stall_ns < NS_PER_MS)
        (void)snprintf(out, out_bytes, "%" PRId64 " us", stall_ns / NS_PER_US);
    else
        (void)oc_value_text(stall_ns / NS_PER_US, OC_UNIT_US, out, out_bytes);
    return out;
}

void oc_look_cost(struct oc_cli *cli, const struct oc_walk *walk)
{
    char wall[32], cpu[32], stall[32];

    oc_buf_printf(&cli->out, "Looked for %s (CPU %s); the process waited %s for it at most.\n",
                  oc_value_text(walk->wall_ns / NS_PER_US, OC_UNIT_US, wall, sizeof(wall)),
                  oc_value_text(walk->cpu_ns / NS_PER_US, OC_UNIT_US, cpu, sizeof(cpu)),
                  stall_text(walk->stall_ns, stall, sizeof(stall)));
    if (walk->census.is_truncated)
        oc_buf_puts(&cli->out, "There was more than a list may hold: counts are whole, lists are "
                               "cut.\n");
}

void oc_look_json_cost(struct oc_json *json, const struct oc_walk *walk)
{
    oc_json_key(json, "walk");
    oc_json_object(json);
    oc_json_put_i64(json, "wall_us", walk->wall_ns / NS_PER_US);
    oc_json_put_i64(json, "cpu_us", walk->cpu_ns / NS_PER_US);
    oc_json_put_i64(json, "stall_us", walk->stall_ns / NS_PER_US);
    if (walk->census.is_truncated)
        oc_json_put_bool(json, "is_truncated", 1);
    oc_json_object_end(json);
}

const char *oc_look_age(const struct oc_cli *cli, int64_t t_unix_ms, char *out, size_t out_bytes)
{
    char time[32], span[32];

    (void)snprintf(out, out_bytes, "walk of %s, %s ago",
                   oc_timespec_short(t_unix_ms, cli->now_unix_ms, time, sizeof(time)),
                   oc_value_span(cli->now_unix_ms > t_unix_ms ? cli->now_unix_ms - t_unix_ms : 0,
                                 span, sizeof(span)));
    return out;
}

/* Processes of this machine that are called so. */
struct namesakes {
    const char *name;
    struct oc_buf pids;
    size_t count;
};

static void take_seen(const struct oc_seen *seen, void *context)
{
    struct namesakes *namesakes = context;

    if (strcmp(seen->name, namesakes->name) != 0)
        return;
    if (namesakes->count++ < MAX_NAMESAKES)
        oc_buf_printf(&namesakes->pids, " %" PRIu32, seen->pid);
}

/* Who asks for a name that the store does not know may not know that a PID needs no store. */
static void tell_of_pids(struct oc_cli *cli, const char *word)
{
    struct namesakes namesakes = { .name = strncmp(word, "proc:", 5) == 0 ? word + 5 : word };
    struct oc_probe_options options = { .root = oc_cli_text(cli, "root", NULL), .no_connector = 1 };
    oc_probe *probe = NULL;

    if (oc_probe_open(&options, &probe, NULL))
        return;
    oc_buf_init(&namesakes.pids, 256);
    (void)oc_probe_scan(probe, take_seen, &namesakes);
    oc_probe_close(probe);
    if (namesakes.count > 0)
        oc_cli_note(cli, "'%s' runs here as pid%s%s; 'oomcast %s PID' looks at it without a store",
                    namesakes.name, namesakes.pids.data,
                    namesakes.count > MAX_NAMESAKES ? " ..." : "", cli->command->name);
    oc_buf_clear(&namesakes.pids);
}

int oc_look_party(struct oc_cli *cli, const char *word, int64_t at_unix_ms, oc_reader **out_reader,
                  struct oc_party *party)
{
    struct oc_detail detail = { 0 };
    oc_reader *reader = NULL;
    int rc;

    if (oc_cli_open_store(cli, &reader)) {
        if (word)
            tell_of_pids(cli, word);
        return OC_EXIT_ERROR;
    }
    rc = oc_party_load(party, reader, word, at_unix_ms, &detail);
    if (rc) {
        oc_reader_close(reader);
        oc_party_clear(party);
        (void)oc_cli_error(cli, "%s", detail.text[0] ? detail.text : oc_err_text(rc));
        if (word && rc == OC_E_NOENT && at_unix_ms == INT64_MAX)
            tell_of_pids(cli, word);
        return OC_EXIT_ERROR;
    }
    *out_reader = reader;
    return OC_EXIT_OK;
}

int oc_look_no_walk(struct oc_cli *cli, const struct oc_party *party, int64_t at_unix_ms)
{
    const struct oc_party_member *first = &party->items[0];
    char time[48];

    if (at_unix_ms != INT64_MAX)
        return oc_cli_error(cli, "the store has no walk of %s by %s; a later --at may have one",
                            first->subject, oc_timespec_format(at_unix_ms, time, sizeof(time)));
    if (first->end != OC_END_RUNNING)
        return oc_cli_error(cli, "%s (pid %" PRIu32 ") ended before it was walked", first->subject,
                            first->pid);
    return oc_cli_error(cli,
                        "no walk of %s yet; the daemon makes the first soon after it finds a "
                        "process, 'oomcast walk-now %" PRIu32 "' asks for one, 'oomcast regions "
                        "%" PRIu32 "' looks now",
                        first->subject, first->pid, first->pid);
}
