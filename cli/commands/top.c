/* oomcast top: live, out of the store alone. */
#include "cli/model/top.h"
#include "cli/cli.h"
#include "cli/commands/top_view.h"
#include "cli/model/overview.h"
#include "cli/show/screen.h"

#include "base/os.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_INTERVAL_MS 2000
#define LEAST_INTERVAL_MS 100
#define FIRST_SPAN_MS 20000 /* without --span it grows with what the store holds … */
#define LAST_SPAN_MS 640000 /* … up to this */
#define LEAST_SPAN_MS 10000
#define OUTLOOK_MS 10000
#define FILL_LIVE_NS INT64_C(25000000) /* of each refresh for the past of rows that have none yet */
#define FILL_ONCE_NS INT64_C(1000000000)

struct top {
    struct oc_cli *cli;
    oc_reader *reader;
    struct oc_top model;
    struct oc_top_view view;
    struct oc_buf frame;
    int64_t fill_ns;
    int64_t begin_unix_ms; /* of the store's first sample; 0: --span says how far back */
    struct oc_outlook outlook;
    int64_t outlook_unix_ms; /* when it was read; 0: never */
};

static int make_rows(struct top *top)
{
    return oc_top_make_rows(&top->model, top->view.sort, top->view.reverse, top->view.each);
}

/* The past of what is seen; where it sorts by it, of all. */
static int fill_past(struct top *top)
{
    int all = top->view.sort == OC_TOP_BY_CHANGE;
    size_t first = all ? 0 : top->view.first_row;
    size_t count = all ? top->model.row_count : oc_top_view_rows(&top->view);
    int rc =
        oc_top_backfill(&top->model, top->reader, first, count, oc_clock_mono_ns() + top->fill_ns);

    return rc ? rc : make_rows(top);
}

static void fit_span(struct top *top)
{
    while (top->begin_unix_ms > 0 && top->view.span_ms < LAST_SPAN_MS &&
           top->view.now_unix_ms - top->begin_unix_ms > top->view.span_ms) {
        oc_top_widen(&top->model);
        top->view.span_ms *= 2;
    }
}

/* Forecasts move slowly: they are read now and then, and only grow older between. */
static int refresh_outlook(struct top *top)
{
    struct oc_outlook outlook = { 0 };
    int64_t now_unix_ms = top->view.now_unix_ms;
    int rc = OC_OK;

    if (top->outlook_unix_ms > 0 && now_unix_ms - top->outlook_unix_ms < OUTLOOK_MS &&
        now_unix_ms >= top->outlook_unix_ms) {
        oc_outlook_age(&top->outlook, now_unix_ms);
        return OC_OK;
    }
    rc = oc_outlook_load(&outlook, top->reader, now_unix_ms);
    if (rc) {
        oc_outlook_clear(&outlook);
        return rc;
    }
    oc_outlook_clear(&top->outlook);
    top->outlook = outlook;
    top->outlook_unix_ms = now_unix_ms;
    return OC_OK;
}

static int refresh(struct top *top)
{
    int rc;

    top->view.now_unix_ms = oc_clock_unix_ms();
    rc = refresh_outlook(top);
    if (rc)
        return rc;
    top->model.outlook = &top->outlook;
    fit_span(top);
    oc_top_begin(&top->model, top->view.now_unix_ms);
    rc = oc_reader_latest(top->reader, oc_top_take, &top->model);
    if (rc >= 0)
        rc = oc_top_end(&top->model);
    if (!rc)
        rc = make_rows(top);
    return rc < 0 ? rc : fill_past(top);
}

/* ---- live ---- */

static void keep_in_range(struct top *top)
{
    size_t fit = oc_top_view_rows(&top->view);
    size_t last = top->model.row_count > fit ? top->model.row_count - fit : 0;

    if (top->view.first_row > last)
        top->view.first_row = last;
}

/* Each line is cleared behind its text: no flicker, and nothing of the frame before is left. */
static void show(const struct oc_buf *frame)
{
    const char *at = frame->data ? frame->data : "";

    (void)fputs("\033[H", stdout);
    while (*at) {
        size_t len = strcspn(at, "\n");

        (void)oc_term_write(OC_STDOUT, at, len);
        (void)fputs("\033[K", stdout);
        at += len;
        if (*at == '\n') {
            (void)fputc('\n', stdout);
            at++;
        }
    }
    (void)fputs("\033[J", stdout);
    (void)fflush(stdout);
}

static int draw(struct top *top)
{
    int rc;

    keep_in_range(top);
    oc_buf_reset(&top->frame);
    rc = oc_top_draw(&top->model, &top->view, &top->frame);
    if (!rc)
        show(&top->frame);
    return rc;
}

static int on_tick(void *context)
{
    struct top *top = context;
    int rc = top->view.paused ? OC_OK : refresh(top);

    if (rc == OC_E_BUSY)
        rc = OC_OK; /* the writer has it just now: the next tick comes */
    return rc ? rc : draw(top);
}

static int on_resize(void *context)
{
    struct top *top = context;

    (void)oc_term_size(OC_STDOUT, &top->view.width, &top->view.height);
    (void)fputs("\033[2J", stdout);
    return draw(top);
}

static int sort_key(int key, enum oc_top_sort *out_sort)
{
    static const char keys[] = "pcrsvtfuln"; /* in the order of enum oc_top_sort */
    const char *at = key > 0 && key < 128 ? strchr(keys, key) : NULL;

    if (!at)
        return 0;
    *out_sort = (enum oc_top_sort)(at - keys);
    return 1;
}

static void scroll(struct top *top, int key)
{
    size_t page = oc_top_view_rows(&top->view);
    size_t *first = &top->view.first_row;

    if (key == OC_KEY_DOWN)
        *first += 1;
    else if (key == OC_KEY_PAGE_DOWN)
        *first += page;
    else if (key == OC_KEY_UP)
        *first -= *first > 0;
    else if (key == OC_KEY_PAGE_UP)
        *first -= *first > page ? page : *first;
    else if (key == OC_KEY_HOME)
        *first = 0;
    else if (key == OC_KEY_END)
        *first = top->model.row_count;
    keep_in_range(top);
}

static int change_about(struct top *top)
{
    enum oc_top_about about =
        top->model.about == OC_TOP_CGROUPS ? OC_TOP_PROCESSES : OC_TOP_CGROUPS;

    oc_top_clear(&top->model);
    oc_top_init(&top->model, about, top->view.span_ms);
    top->view.first_row = 0;
    return refresh(top);
}

static int on_key(int key, void *context)
{
    struct top *top = context;
    struct oc_top_view *view = &top->view;
    int rc = OC_OK;

    if (key == 'q')
        return OC_SCREEN_END;
    if (view->help)
        view->help = 0;
    else if (key == '?' || key == 'h')
        view->help = 1;
    else if (key == ' ')
        view->paused = !view->paused;
    else if (key == 'R')
        view->reverse = !view->reverse;
    else if (key == 'e')
        view->each = !view->each;
    else if (key == 'g')
        rc = change_about(top);
    else if (!sort_key(key, &view->sort))
        scroll(top, key);
    if (!rc)
        rc = make_rows(top);
    if (!rc)
        rc = fill_past(top);
    return rc ? rc : draw(top);
}

/* ---- once ---- */

static int print_once(struct top *top)
{
    struct oc_cli *cli = top->cli;
    int64_t limit = oc_cli_number(cli, "limit", 0);
    size_t max_rows = limit > 0 ? (size_t)limit : SIZE_MAX;

    if (top->model.row_count > max_rows)
        top->model.row_count = max_rows;
    if (cli->format == OC_FORMAT_JSON)
        oc_top_json(&top->model, max_rows, &cli->out);
    else if (cli->format == OC_FORMAT_CSV)
        oc_top_csv(&top->model, max_rows, &cli->out);
    else
        return oc_top_draw(&top->model, &top->view, &cli->out);
    return OC_OK;
}

static int run_once(struct top *top)
{
    int rc;

    top->view.height = 0; /* all rows */
    top->view.width = top->cli->is_tty ? top->cli->width : 0;
    top->fill_ns = top->cli->format == OC_FORMAT_TABLE ? FILL_ONCE_NS : 0;
    rc = refresh(top);
    return rc ? rc : print_once(top);
}

/* With --for the last look stays on the terminal, as much of it as was seen. */
static int run_live(struct top *top, int64_t interval_ms, int64_t for_ms)
{
    static const struct oc_screen_calls calls = { on_tick, on_key, on_resize };
    int rc = oc_screen_run(interval_ms, for_ms, &calls, top);
    size_t fit = oc_top_view_rows(&top->view);

    if (rc || for_ms <= 0)
        return rc;
    top->view.help = top->view.paused = 0;
    top->view.height = 0;
    top->view.first_row = 0;
    rc = refresh(top);
    if (top->model.row_count > fit)
        top->model.row_count = fit;
    return rc ? rc : print_once(top);
}

static int run_with(struct top *top)
{
    struct oc_cli *cli = top->cli;
    int64_t interval_ms = oc_cli_number(cli, "interval", DEFAULT_INTERVAL_MS);
    int64_t for_ms = oc_cli_number(cli, "for", 0);
    int live = cli->is_tty && cli->format == OC_FORMAT_TABLE && !oc_cli_has(cli, "once");

    if (interval_ms < LEAST_INTERVAL_MS)
        interval_ms = LEAST_INTERVAL_MS;
    if (live)
        return run_live(top, interval_ms, for_ms);
    if (for_ms > 0)
        oc_screen_wait(for_ms);
    return run_once(top);
}

static void choose_span(struct top *top)
{
    struct oc_overview info = { 0 };

    top->view.span_ms = oc_cli_number(top->cli, "span", FIRST_SPAN_MS);
    if (top->view.span_ms < LEAST_SPAN_MS)
        top->view.span_ms = LEAST_SPAN_MS;
    if (oc_cli_has(top->cli, "span"))
        return;
    if (oc_overview_read(top->reader, &info) == OC_OK && info.first_unix_ms > 0)
        top->begin_unix_ms = info.first_unix_ms;
    else
        top->begin_unix_ms = top->cli->now_unix_ms; /* an empty store: it begins now */
}

static int run_top(struct oc_cli *cli)
{
    struct top top = { .cli = cli, .fill_ns = FILL_LIVE_NS };
    int rc;

    if (oc_cli_open_store(cli, &top.reader))
        return OC_EXIT_ERROR;
    top.view = (struct oc_top_view){ .width = cli->width,
                                     .height = cli->height,
                                     .color = cli->color,
                                     .utf8 = cli->utf8,
                                     .store = cli->db_path };
    choose_span(&top);
    top.view.sort = (enum oc_top_sort)oc_cli_number(cli, "sort", OC_TOP_BY_PRIVATE);
    top.view.reverse = oc_cli_has(cli, "reverse");
    top.view.each = oc_cli_has(cli, "each");
    oc_buf_init(&top.frame, 1u << 20);
    oc_top_init(&top.model, oc_cli_has(cli, "cgroups") ? OC_TOP_CGROUPS : OC_TOP_PROCESSES,
                top.view.span_ms);
    rc = run_with(&top);
    oc_top_clear(&top.model);
    oc_outlook_clear(&top.outlook);
    oc_buf_clear(&top.frame);
    oc_reader_close(top.reader);
    return rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

static const struct oc_cli_option top_options[] = {
    { "sort", 's', OC_CLI_WORD, "KEY", "the greatest first", oc_top_sort_words },
    { "reverse", 'R', OC_CLI_FLAG, NULL, "the least first", NULL },
    { "each", 'e', OC_CLI_FLAG, NULL, "a row for each process, not for each subject", NULL },
    { "cgroups", 'g', OC_CLI_FLAG, NULL, "cgroups instead of processes", NULL },
    { "once", '1', OC_CLI_FLAG, NULL, "one table, then the end; so is a pipe", NULL },
    { "limit", 'n', OC_CLI_INT, "N", "at most so many rows (with --once or a pipe)", NULL },
    { "interval", 'i', OC_CLI_DURATION, "TIME", "between two refreshes; 2s", NULL },
    { "span", 0, OC_CLI_DURATION, "TIME",
      "what CHANGE and PAST look back to; else what the store holds, at most 10m40s", NULL },
    { "for", 0, OC_CLI_DURATION, "TIME", "end by itself then, and leave the last look", NULL },
    { 0 },
};

static const struct oc_cli_example top_examples[] = {
    { "oomcast top", "live; ? shows the keys" },
    { "oomcast top --sort change --span 6h", "what grew most in six hours" },
    { "oomcast top --sort ttl", "what is out first; 'oomcast forecast' says more" },
    { "oomcast top --once -n 10", "the ten greatest as text" },
    { "oomcast top --json | jq '.processes[] | {name, private_bytes}'", "for a script" },
    { 0 },
};

const struct oc_cli_command oc_cmd_top = {
    .name = "top",
    .summary = "live: what every watched process has and how it moves",
    .usage = "[OPTION]...",
    .text = "A row is a subject: all processes of one name, summed up. It reads the store, so it "
            "is as fresh as the daemon's interval, and works offline too. TTL is the time to the "
            "limit that is forecast to be met first, of its cgroups too where it grows; in "
            "brackets: how long it would last without the restarts that save it.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON | OC_CLI_HAS_CSV,
    .options = top_options,
    .examples = top_examples,
    .run = run_top,
};
