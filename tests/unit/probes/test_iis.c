/* IIS: command lines of workers, a made configuration, records that Windows' event log would hold, walks over a made Windows. */
#include "base/alloc.h"
#include "base/os.h"
#include "probes/fake/fake_win.h"
#include "probes/windows/iis.h"
#include "probes/windows/iis_value.h"
#include "probes/windows/records.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAIN_CONFIG "C:\\Windows\\System32\\inetsrv\\config\\applicationHost.config"
#define OWN_CONFIG "C:\\inetpub\\temp\\apppools\\Shop\\Shop.config"
#define WORKER_EXE "C:\\Windows\\System32\\inetsrv\\w3wp.exe"

/* ---- command lines ---- */

static const struct {
    const char *exe, *cmdline, *pool, *clr, *config; /* pool NULL: no worker */
} lines[] = {
    { WORKER_EXE,
      "c:\\windows\\system32\\inetsrv\\w3wp.exe -ap \"Shop\" -v \"v4.0\" -l \"webengine4.dll\" -a "
      "\\\\.\\pipe\\iisipm3c5b -h \"" OWN_CONFIG "\" -w \"\" -m 0 -t 20 -ta 0",
      "Shop", "v4.0", OWN_CONFIG },
    { "", "W3WP.EXE -ap DefaultAppPool", "DefaultAppPool", "", "" },
    { "", "\"C:\\Program Files\\w3wp.exe\" -ap \"A pool of blanks\" -v \"\"", "A pool of blanks",
      "", "" },
    { "", "w3wp.exe -ap \"\xe5\x95\x86\xe5\xba\x97\"", "\xe5\x95\x86\xe5\xba\x97", "", "" },
    { "", "w3wp -ap \"a\\\"b\\\\\" -v v2.0", "a\"b\\", "v2.0", "" },
    { "", "w3wp.exe -v v4.0", NULL, NULL, NULL }, /* serves no pool */
    { "", "w3wp.exe -ap", NULL, NULL, NULL },
    { "C:\\x\\other.exe", "w3wp.exe -ap Shop", NULL, NULL, NULL }, /* the image says who it is */
    { "", "C:\\w3wp.exe.bak -ap Shop", NULL, NULL, NULL },
    { "", "dotnet.exe -ap Shop", NULL, NULL, NULL },
    { "", "", NULL, NULL, NULL },
    { WORKER_EXE, NULL, NULL, NULL, NULL },
};

START_TEST(worker_tells_its_pool)
{
    struct oc_win_worker worker = { .pool = "untouched" };
    int rc = oc_win_worker_parse(lines[_i].exe, lines[_i].cmdline, &worker);

    ck_assert_int_eq(rc, lines[_i].pool != NULL);
    ck_assert_str_eq(worker.pool, lines[_i].pool ? lines[_i].pool : "untouched");
    if (!rc)
        return;
    ck_assert_str_eq(worker.clr, lines[_i].clr);
    ck_assert_str_eq(worker.config, lines[_i].config);
}
END_TEST

/* ---- values ---- */

START_TEST(spans_of_time_are_read)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } spans[] = { { "00:20:00", 1200000 },
                  { "1.05:00:00", 104400000 },
                  { "29:00:00", 104400000 },
                  { "00:00:00", 0 },
                  { "", -1 },
                  { "5", -1 },
                  { "1:2", -1 },
                  { "00:60:00", -1 },
                  { "00:00:00:00", -1 },
                  { "-00:01:00", -1 },
                  { "9999999:00:00", -1 },
                  { "01:00:00x", -1 } };

    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        int64_t ms = -1;

        ck_assert_int_eq(oc_win_iis_span_ms(spans[i].text, &ms),
                         spans[i].ms < 0 ? OC_E_PARSE : OC_OK);
        ck_assert_int_eq(ms, spans[i].ms);
    }
}
END_TEST

START_TEST(times_of_the_day_are_within_it)
{
    uint16_t minute = 7;

    ck_assert_int_eq(oc_win_iis_minute("23:59:00", &minute), OC_OK);
    ck_assert_uint_eq(minute, 1439);
    ck_assert_int_eq(oc_win_iis_minute("24:00:00", &minute), OC_E_PARSE);
    ck_assert_int_eq(oc_win_iis_minute("1.03:00:00", &minute), OC_E_PARSE);
    ck_assert_uint_eq(minute, 1439);
}
END_TEST

/* ---- the configuration ---- */

struct pools {
    struct oc_win_pool items[8];
    size_t count;
};

static void keep(const struct oc_win_pool *pool, void *context)
{
    struct pools *pools = context;

    if (pools->count < sizeof(pools->items) / sizeof(pools->items[0]))
        pools->items[pools->count++] = *pool;
}

static char *read_config(size_t *len)
{
    char *text = NULL;

    ck_assert_int_eq(oc_file_read(OC_TEST_DATA "/iis/applicationHost.config", 1u << 20, &text, len),
                     OC_OK);
    return text;
}

static void parse_config(struct pools *pools)
{
    size_t len = 0;
    char *text = read_config(&len);
    struct oc_detail detail = { 0 };

    *pools = (struct pools){ .count = 0 };
    ck_assert_msg(oc_win_iis_parse(text, len, keep, pools, &detail) == 4, "%s", detail.text);
    ck_assert_uint_eq(pools->count, 4);
    oc_free(text);
}

START_TEST(pool_has_its_own_values)
{
    struct pools pools;
    const struct oc_win_pool *shop = &pools.items[1];

    parse_config(&pools);
    ck_assert_str_eq(shop->name, "Shop");
    ck_assert_str_eq(shop->clr, "v4.0");
    ck_assert_int_eq(shop->is_32bit, 1);
    ck_assert_uint_eq(shop->max_processes, 2);
    ck_assert_uint_eq(shop->memory_bytes, UINT64_C(1500000) << 10);
    ck_assert_uint_eq(shop->private_memory_bytes, UINT64_C(1) << 30);
    ck_assert_int_eq(shop->plan.every_ms, 0);
    ck_assert_int_eq(shop->plan.idle_ms, 0);
    ck_assert_uint_eq(shop->plan.requests, 250000);
    ck_assert_uint_eq(shop->plan.time_count, 3); /* the defaults' stands among its own */
    ck_assert_uint_eq(shop->plan.minutes[0], 60);
    ck_assert_uint_eq(shop->plan.minutes[1], 180);
    ck_assert_uint_eq(shop->plan.minutes[2], 1350);
    ck_assert_uint_eq(shop->plan.unlogged & OC_PLAN_SCHEDULE, 0);
    ck_assert_uint_ne(shop->plan.unlogged & OC_PLAN_PRIVATE_MEMORY, 0);
    ck_assert_uint_ne(shop->plan.unlogged & OC_PLAN_REQUESTS, 0);
}
END_TEST

START_TEST(pool_inherits_defaults_that_stand_behind_it)
{
    struct pools pools;
    const struct oc_win_pool *first = &pools.items[0], *core = &pools.items[2];

    parse_config(&pools);
    ck_assert_str_eq(first->name, "DefaultAppPool");
    ck_assert_str_eq(first->clr, "v2.0");
    ck_assert_int_eq(first->plan.every_ms, 29 * 3600000);
    ck_assert_int_eq(first->plan.idle_ms, 300000);
    ck_assert_uint_eq(first->memory_bytes, 0);
    ck_assert_uint_eq(first->plan.unlogged, OC_PLAN_IDLE);
    ck_assert_uint_eq(first->plan.time_count, 1);
    ck_assert_str_eq(core->clr, "");
    ck_assert_uint_eq(core->plan.time_count, 1); /* cleared, then its own */
    ck_assert_uint_eq(core->plan.minutes[0], 255);
    ck_assert_str_eq(pools.items[3].name, "\xe5\x95\x86\xe5\xba\x97");
}
END_TEST

START_TEST(configuration_of_nothing_has_what_iis_does)
{
    static const char text[] = "<configuration><system.applicationHost><applicationPools>"
                               "<add name='a'/><add/></applicationPools>"
                               "</system.applicationHost></configuration>";
    struct pools pools = { .count = 0 };

    ck_assert_int_eq(oc_win_iis_parse(text, sizeof(text) - 1, keep, &pools, NULL), 1);
    ck_assert_str_eq(pools.items[0].clr, "v4.0");
    ck_assert_int_eq(pools.items[0].is_32bit, 0);
    ck_assert_int_eq(pools.items[0].plan.every_ms, 29 * 3600000);
    ck_assert_int_eq(pools.items[0].plan.idle_ms, 20 * 60000);
    ck_assert_uint_eq(pools.items[0].plan.unlogged, 0);
}
END_TEST

START_TEST(broken_configuration_is_told_with_its_place)
{
    static const char broken[] = "<configuration>\n  <system.applicationHost>\n </configuration>";
    static const char doctype[] =
        "<!DOCTYPE a [<!ENTITY b \"cc\">]><configuration>&b;</configuration>";
    struct pools pools = { .count = 0 };
    struct oc_detail detail = { 0 };

    ck_assert_int_eq(oc_win_iis_parse(broken, sizeof(broken) - 1, keep, &pools, &detail),
                     OC_E_PARSE);
    ck_assert_uint_eq(detail.line, 3);
    ck_assert_int_eq(oc_win_iis_parse(doctype, sizeof(doctype) - 1, keep, &pools, &detail),
                     OC_E_PARSE);
    ck_assert_ptr_nonnull(strstr(detail.text, "document type"));
    ck_assert_int_eq(oc_win_iis_parse("", 0, keep, &pools, NULL), OC_E_PARSE);
    ck_assert_uint_eq(pools.count, 0);
}
END_TEST

START_TEST(utf16_is_read_as_well)
{
    static const char ascii[] = "<configuration><system.applicationHost><applicationPools>"
                                "<add name='wide'/></applicationPools></system.applicationHost>"
                                "</configuration>";
    char wide[2 * sizeof(ascii)] = "\xff\xfe";
    struct pools pools = { .count = 0 };

    for (size_t i = 0; i + 1 < sizeof(ascii); i++)
        wide[2 + 2 * i] = ascii[i];
    ck_assert_int_eq(oc_win_iis_parse(wide, 2 * sizeof(ascii), keep, &pools, NULL), 1);
    ck_assert_str_eq(pools.items[0].name, "wide");
}
END_TEST

START_TEST(parsing_survives_each_failed_allocation)
{
    size_t len = 0;
    char *text = read_config(&len);
    int64_t live = oc_alloc_live();
    int rc = OC_E_NOMEM;

    for (uint64_t nth = 1; rc < 0; nth++) {
        struct pools pools = { .count = 0 };

        oc_alloc_fail_at(nth, 0);
        rc = oc_win_iis_parse(text, len, keep, &pools, NULL);
        oc_alloc_fail_at(0, 0);
        ck_assert(rc == OC_E_NOMEM || rc == 4);
        ck_assert_int_eq(oc_alloc_live(), live);
    }
    oc_free(text);
}
END_TEST

/* ---- walks over a made Windows ---- */

struct rig {
    oc_fake_win *fake;
    struct oc_win *win;
    struct oc_walk walk;
    char *text;
};

static void rig_open(struct rig *rig, const char *path)
{
    size_t len = 0;

    memset(rig, 0, sizeof(*rig));
    ck_assert_int_eq(oc_fake_win_open(&rig->fake), OC_OK);
    rig->win = oc_fake_win_table(rig->fake);
    (void)snprintf(rig->win->system_root, sizeof(rig->win->system_root), "C:\\Windows");
    rig->text = read_config(&len);
    if (path)
        oc_fake_win_set_file(rig->fake, path, rig->text);
}

static void rig_close(struct rig *rig)
{
    oc_fake_win_close(rig->fake);
    oc_free(rig->text);
}

static void become(struct rig *rig, const char *exe, const char *pool)
{
    (void)snprintf(rig->walk.facts.exe, sizeof(rig->walk.facts.exe), "%s", exe);
    (void)snprintf(rig->walk.names.app_pool, sizeof(rig->walk.names.app_pool), "%s", pool);
}

START_TEST(worker_has_limits_and_plan_of_its_pool)
{
    struct rig rig;

    rig_open(&rig, MAIN_CONFIG);
    become(&rig, WORKER_EXE, "Shop");
    oc_sample_set(&rig.walk.sample, OC_METRIC_PRIVATE, 12345);
    ck_assert_int_eq(oc_win_iis_walk(rig.win, OC_WALK_LIMITS, "w3wp.exe -ap sHOP", &rig.walk),
                     OC_OK);
    ck_assert_uint_eq(rig.walk.limit_count, 2);
    ck_assert_uint_eq(rig.walk.limits[0].kind, OC_LIMIT_IIS_MEMORY);
    ck_assert_uint_eq(rig.walk.limits[0].metric, OC_METRIC_VIRTUAL);
    ck_assert_uint_eq(rig.walk.limits[1].kind, OC_LIMIT_IIS_PRIVATE_MEMORY);
    ck_assert_uint_eq(rig.walk.limits[1].value, UINT64_C(1) << 30);
    ck_assert_uint_eq(rig.walk.limits[1].use, 12345);
    ck_assert_uint_eq(rig.walk.plan.time_count, 3);
    rig_close(&rig);
}
END_TEST

START_TEST(descendant_has_the_plan_and_no_limits)
{
    struct rig rig;

    rig_open(&rig, MAIN_CONFIG);
    become(&rig, "C:\\Program Files\\dotnet\\dotnet.exe", "Core");
    ck_assert_int_eq(oc_win_iis_walk(rig.win, OC_WALK_LIMITS, "dotnet app.dll", &rig.walk), OC_OK);
    ck_assert_uint_eq(rig.walk.limit_count, 0);
    ck_assert_uint_eq(rig.walk.plan.time_count, 1);
    rig_close(&rig);
}
END_TEST

START_TEST(own_copy_is_asked_first_and_the_main_file_else)
{
    static const char own[] = "<configuration><system.applicationHost><applicationPools>"
                              "<add name='Shop'><recycling><periodicRestart privateMemory='1024'/>"
                              "</recycling></add></applicationPools></system.applicationHost>"
                              "</configuration>";
    static const char broken[] = "<configuration><system.applicationHost><applicationPools>"
                                 "<add name='Shop'/>";
    static const char cmdline[] = "w3wp.exe -ap Shop -h \"" OWN_CONFIG "\"";
    struct rig rig;

    rig_open(&rig, MAIN_CONFIG);
    become(&rig, WORKER_EXE, "Shop");
    oc_fake_win_set_file(rig.fake, OWN_CONFIG, own);
    ck_assert_int_eq(oc_win_iis_walk(rig.win, OC_WALK_LIMITS, cmdline, &rig.walk), OC_OK);
    ck_assert_uint_eq(rig.walk.limit_count, 1);
    ck_assert_uint_eq(rig.walk.limits[0].value, 1u << 20);
    rig.walk.limit_count = 0;
    oc_fake_win_set_file(rig.fake, OWN_CONFIG, broken);
    ck_assert_int_eq(oc_win_iis_walk(rig.win, OC_WALK_LIMITS, cmdline, &rig.walk), OC_OK);
    ck_assert_uint_eq(rig.walk.limit_count, 2);
    rig_close(&rig);
}
END_TEST

/* Whoever starts a w3wp.exe may name any file: no share is opened for it, nor a device. */
START_TEST(paths_that_leave_the_machine_are_not_followed)
{
    static const char *const paths[] = {
        "\\\\evil\\share\\x.config", "\\\\.\\pipe\\x",       "x.config",    "C:\\a\\..\\x.config",
        "C:\\a.config:stream",       "C:\\\\evil\\x.config", "//evil/share"
    };

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct rig rig;
        char cmdline[200];
        uint64_t before = 0;

        rig_open(&rig, paths[i]);
        become(&rig, WORKER_EXE, "Shop");
        before = rig.win->counts.calls[OC_WIN_CALL_FILE];
        (void)snprintf(cmdline, sizeof(cmdline), "w3wp.exe -ap Shop -h \"%s\"", paths[i]);
        ck_assert_int_eq(oc_win_iis_walk(rig.win, OC_WALK_LIMITS, cmdline, &rig.walk), OC_OK);
        ck_assert_uint_eq(rig.walk.limit_count, 0);
        ck_assert_uint_le(rig.win->counts.calls[OC_WIN_CALL_FILE] - before, 1); /* the main one */
        rig_close(&rig);
    }
}
END_TEST

START_TEST(others_cost_no_call)
{
    struct rig rig;

    rig_open(&rig, MAIN_CONFIG);
    become(&rig, "C:\\Windows\\notepad.exe", "");
    ck_assert_int_eq(oc_win_iis_walk(rig.win, OC_WALK_LIMITS, "notepad", &rig.walk), OC_OK);
    become(&rig, WORKER_EXE, "Shop");
    ck_assert_int_eq(oc_win_iis_walk(rig.win, OC_WALK_FACTS, "w3wp.exe -ap Shop", &rig.walk),
                     OC_OK);
    ck_assert_uint_eq(rig.walk.limit_count, 0);
    ck_assert_uint_eq(rig.win->counts.calls[OC_WIN_CALL_FILE], 0);
    rig_close(&rig);
}
END_TEST

/* ---- descendants ---- */

static struct oc_fake_win_process *start(struct rig *rig, uint32_t pid, const char *name,
                                         const char *image, const char *cmdline, uint32_t parent)
{
    struct oc_fake_win_process *process = oc_fake_win_start(rig->fake, pid, name);

    ck_assert_ptr_nonnull(process);
    process->image = image;
    process->cmdline = cmdline;
    process->basics.parent_pid = parent;
    return process;
}

static void name_of(struct rig *rig, const struct oc_fake_win_process *process)
{
    memset(&rig->walk, 0, sizeof(rig->walk));
    become(rig, process->image, "");
    rig->walk.facts.id.pid = process->pid;
    rig->walk.facts.id.start_ticks = process->times.created;
    rig->walk.facts.parent_pid = process->basics.parent_pid;
    rig->walk.cmdline = process->cmdline ? oc_strdup(process->cmdline) : NULL;
    ck_assert_int_eq(oc_win_iis_names(rig->win, &rig->walk), OC_OK);
    oc_free(rig->walk.cmdline);
    rig->walk.cmdline = NULL;
    ck_assert_uint_eq(oc_fake_win_handles(rig->fake), 0);
    ck_assert_uint_eq(rig->win->counts.reads_opened, 0);
}

START_TEST(what_a_worker_starts_is_of_its_pool)
{
    struct rig rig;
    struct oc_fake_win_process *worker, *shell, *app, *console, *other;

    rig_open(&rig, MAIN_CONFIG);
    worker = start(&rig, 100, "w3wp.exe", WORKER_EXE, "w3wp.exe -ap Core -v v4.0", 50);
    shell = start(&rig, 200, "cmd.exe", "C:\\Windows\\System32\\cmd.exe", "cmd", 100);
    app = start(&rig, 300, "dotnet.exe", "C:\\dotnet\\dotnet.exe", "dotnet app.dll", 200);
    console = start(&rig, 400, "conhost.exe", "C:\\Windows\\System32\\conhost.exe", "conhost", 300);
    other = start(&rig, 500, "notepad.exe", "C:\\Windows\\notepad.exe", "notepad", 50);
    name_of(&rig, worker);
    ck_assert_str_eq(rig.walk.names.app_pool, "Core");
    ck_assert_str_eq(rig.walk.names.clr, "v4.0");
    name_of(&rig, shell);
    ck_assert_str_eq(rig.walk.names.app_pool, "Core");
    name_of(&rig, app);
    ck_assert_str_eq(rig.walk.names.app_pool, "Core");
    name_of(&rig, console);
    ck_assert_str_eq(rig.walk.names.app_pool, "");
    name_of(&rig, other);
    ck_assert_str_eq(rig.walk.names.app_pool, "");
    rig_close(&rig);
}
END_TEST

START_TEST(younger_parent_is_another_process)
{
    struct rig rig;
    struct oc_fake_win_process *orphan;

    rig_open(&rig, MAIN_CONFIG);
    orphan = start(&rig, 300, "dotnet.exe", "C:\\dotnet\\dotnet.exe", "dotnet app.dll", 100);
    (void)start(&rig, 100, "w3wp.exe", WORKER_EXE, "w3wp.exe -ap Core", 50); /* began later */
    name_of(&rig, orphan);
    ck_assert_str_eq(rig.walk.names.app_pool, "");
    rig_close(&rig);
}
END_TEST

START_TEST(no_ancestor_is_opened_without_iis)
{
    struct rig rig;
    struct oc_fake_win_process *app;

    rig_open(&rig, NULL);
    (void)start(&rig, 100, "other.exe", "C:\\other.exe", "other", 50);
    app = start(&rig, 300, "dotnet.exe", "C:\\dotnet\\dotnet.exe", "dotnet app.dll", 100);
    name_of(&rig, app);
    ck_assert_uint_eq(rig.win->counts.calls[OC_WIN_CALL_OPEN], 0);
    rig_close(&rig);
}
END_TEST

/* ---- all pools, the doctor ---- */

static void count_pool(const struct oc_app_pool *pool, void *context)
{
    int *count = context;

    ck_assert(pool->name[0] != '\0');
    (*count)++;
}

START_TEST(pools_are_told_where_there_is_iis)
{
    struct rig rig;
    struct oc_detail detail = { 0 };
    int count = 0;

    rig_open(&rig, MAIN_CONFIG);
    ck_assert_int_eq(oc_win_iis_pools(rig.win, count_pool, &count, &detail), 4);
    ck_assert_int_eq(count, 4);
    oc_fake_win_set_file(rig.fake, MAIN_CONFIG, NULL);
    ck_assert_int_eq(oc_win_iis_pools(rig.win, count_pool, &count, &detail), OC_E_NOTSUP);
    oc_fake_win_fail(rig.fake, OC_WIN_CALL_FILE, OC_E_DENIED);
    ck_assert_int_eq(oc_win_iis_pools(rig.win, count_pool, &count, &detail), OC_E_DENIED);
    rig_close(&rig);
}
END_TEST

struct said {
    int good, findings;
    char why[200];
};

static void hear(const struct oc_ability *ability, void *context)
{
    struct said *said = context;

    said->good += ability->rc == OC_OK;
    said->findings += ability->rc == OC_E_INVAL;
    if (ability->rc < 0)
        (void)snprintf(said->why, sizeof(said->why), "%s", ability->why);
}

START_TEST(virtual_limit_of_a_64_bit_pool_is_a_finding)
{
    struct rig rig;
    struct said said = { .good = 0 };

    rig_open(&rig, MAIN_CONFIG);
    ck_assert_int_eq(oc_win_iis_doctor(rig.win, hear, &said), OC_OK);
    ck_assert_int_eq(said.good, 1);
    ck_assert_int_eq(said.findings, 1); /* of Core; Shop is 32-bit: there it is meant */
    ck_assert_ptr_nonnull(strstr(said.why, "Core"));
    rig_close(&rig);
}
END_TEST

START_TEST(doctor_is_silent_without_iis)
{
    struct rig rig;
    struct said said = { .good = 0 };

    rig_open(&rig, NULL);
    ck_assert_int_eq(oc_win_iis_doctor(rig.win, hear, &said), OC_OK);
    ck_assert_int_eq(said.good + said.findings, 0);
    rig_close(&rig);
}
END_TEST

/* ---- records, all made ---- */

static const struct {
    struct oc_win_record record;
    uint32_t pid;
    const char *pool, *reason, *text;
} records[] = {
    { { .source = "Microsoft-Windows-WAS",
        .id = 5077,
        .strings = { "4711", "Shop" },
        .string_count = 2 },
      4711,
      "Shop",
      "virtual memory limit",
      "WAS 5077: worker 4711 of pool Shop: recycled by IIS: virtual memory limit" },
    { { .source = "Microsoft-Windows-WAS",
        .id = 5186,
        .strings = { "9", "8080", "20" },
        .string_count = 3 },
      9,
      "8080",
      "idle",
      "WAS 5186: worker 9 of pool 8080: recycled by IIS: idle" },
    { { .source = "Microsoft-Windows-WAS", .id = 5080, .strings = { "Shop" }, .string_count = 1 },
      0,
      "Shop",
      "configuration change",
      "WAS 5080: pool Shop: recycled by IIS: configuration change" },
    { { .source = "Microsoft-Windows-WAS",
        .id = 5011,
        .strings = { "Shop", "12" },
        .string_count = 2 },
      12,
      "Shop",
      NULL,
      "WAS 5011: worker 12 of pool Shop: the worker crashed: it broke off with WAS" },
    { { .source = "Microsoft-Windows-WAS", .id = 5002, .strings = { "Shop" }, .string_count = 1 },
      0,
      "Shop",
      NULL,
      "WAS 5002: pool Shop: the pool is disabled: its workers failed one after the other" },
    { { .source = ".NET Runtime",
        .id = 1026,
        .strings = { "Application: w3wp.exe\r\nFramework Version: v4.0.30319\r\nDescription: x\r\n"
                     "Exception Info: System.OutOfMemoryException\r\n   at A.B()" },
        .string_count = 1 },
      0,
      "",
      NULL,
      ".NET Runtime 1026: w3wp.exe ended by an unhandled exception: System.OutOfMemoryException" },
    { { .source = "Application Error",
        .id = 1000,
        .strings = { "w3wp.exe", "10.0", "x", "clr.dll", "4.8", "x", "e0434352", "0000", "0x1267" },
        .string_count = 9 },
      0x1267,
      "",
      NULL,
      "Application Error 1000: process 4711: w3wp.exe crashed in clr.dll, code e0434352" },
    { { .source = "Microsoft-Windows-Resource-Exhaustion-Detector", .id = 2004 },
      0,
      "",
      NULL,
      "Resource-Exhaustion-Detector 2004: the machine is low on virtual memory" },
};

START_TEST(records_are_told)
{
    struct oc_win_told told = { .pid = 1 };

    ck_assert_int_eq(oc_win_record_tell(&records[_i].record, &told), 1);
    ck_assert_uint_eq(told.pid, records[_i].pid);
    ck_assert_str_eq(told.pool, records[_i].pool);
    ck_assert_str_eq(told.text, records[_i].text);
    ck_assert_int_eq(told.reason != NULL, records[_i].reason != NULL);
    if (told.reason)
        ck_assert_str_eq(told.reason, records[_i].reason);
}
END_TEST

START_TEST(other_records_are_passed_over)
{
    struct oc_win_record record = { .source = "Microsoft-Windows-WAS", .id = 5211 };
    struct oc_win_told told = { .pid = 1 };

    ck_assert_int_eq(oc_win_record_tell(&record, &told), 0);
    record = (struct oc_win_record){ .source = "Somebody", .id = 5077 };
    ck_assert_int_eq(oc_win_record_tell(&record, &told), 0);
    record = (struct oc_win_record){ .source = NULL, .id = 5077 };
    ck_assert_int_eq(oc_win_record_tell(&record, &told), 0);
    ck_assert_uint_eq(told.pid, 1);
}
END_TEST

static void note(struct oc_win_reasons *reasons, size_t record, int64_t unix_ms)
{
    struct oc_win_told told;

    ck_assert_int_eq(oc_win_record_tell(&records[record].record, &told), 1);
    oc_win_reasons_note(reasons, &told, unix_ms);
}

START_TEST(reason_is_of_the_worker_that_it_names)
{
    struct oc_win_reasons reasons = { .next = 0 };

    note(&reasons, 0, 1000000);
    ck_assert_str_eq(oc_win_reasons_of(&reasons, 4711, "Shop", 0, 1060000), "virtual memory limit");
    ck_assert_ptr_null(oc_win_reasons_of(&reasons, 4712, "Shop", 0, 1060000));
    ck_assert_ptr_null(oc_win_reasons_of(&reasons, 4711, "Shop", 1000001, 1060000)); /* PID again */
    ck_assert_ptr_null(oc_win_reasons_of(&reasons, 4711, "Shop", 0, 9000000));
    ck_assert_ptr_nonnull(oc_win_reasons_of(&reasons, 4711, "Shop", 0, 995000)); /* a late log */
}
END_TEST

START_TEST(reason_of_a_pool_is_of_its_workers)
{
    struct oc_win_reasons reasons = { .next = 0 };

    note(&reasons, 2, 1000000);
    ck_assert_ptr_nonnull(oc_win_reasons_of(&reasons, 1, "Shop", 0, 1060000));
    ck_assert_ptr_null(oc_win_reasons_of(&reasons, 1, "Api", 0, 1060000));
    ck_assert_ptr_null(oc_win_reasons_of(&reasons, 1, "", 0, 1060000));
    note(&reasons, 3, 1000000); /* a crash is no plan */
    ck_assert_ptr_null(oc_win_reasons_of(&reasons, 12, "Api", 0, 1000000));
    for (int i = 0; i < 2 * OC_WIN_REASONS_MAX; i++)
        note(&reasons, 0, 2000000);
    ck_assert_ptr_null(oc_win_reasons_of(&reasons, 1, "Shop", 0, 1060000));
}
END_TEST

static TCase *parsing(void)
{
    TCase *tcase = tcase_create("command lines and configuration");

    tcase_add_loop_test(tcase, worker_tells_its_pool, 0, sizeof(lines) / sizeof(lines[0]));
    tcase_add_test(tcase, spans_of_time_are_read);
    tcase_add_test(tcase, times_of_the_day_are_within_it);
    tcase_add_test(tcase, pool_has_its_own_values);
    tcase_add_test(tcase, pool_inherits_defaults_that_stand_behind_it);
    tcase_add_test(tcase, configuration_of_nothing_has_what_iis_does);
    tcase_add_test(tcase, broken_configuration_is_told_with_its_place);
    tcase_add_test(tcase, utf16_is_read_as_well);
    tcase_add_test(tcase, parsing_survives_each_failed_allocation);
    return tcase;
}

static TCase *asking(void)
{
    TCase *tcase = tcase_create("walks and the doctor");

    tcase_add_test(tcase, worker_has_limits_and_plan_of_its_pool);
    tcase_add_test(tcase, descendant_has_the_plan_and_no_limits);
    tcase_add_test(tcase, own_copy_is_asked_first_and_the_main_file_else);
    tcase_add_test(tcase, paths_that_leave_the_machine_are_not_followed);
    tcase_add_test(tcase, others_cost_no_call);
    tcase_add_test(tcase, what_a_worker_starts_is_of_its_pool);
    tcase_add_test(tcase, younger_parent_is_another_process);
    tcase_add_test(tcase, no_ancestor_is_opened_without_iis);
    tcase_add_test(tcase, pools_are_told_where_there_is_iis);
    tcase_add_test(tcase, virtual_limit_of_a_64_bit_pool_is_a_finding);
    tcase_add_test(tcase, doctor_is_silent_without_iis);
    return tcase;
}

static TCase *hearing(void)
{
    TCase *tcase = tcase_create("records of the event log, made");

    tcase_add_loop_test(tcase, records_are_told, 0, sizeof(records) / sizeof(records[0]));
    tcase_add_test(tcase, other_records_are_passed_over);
    tcase_add_test(tcase, reason_is_of_the_worker_that_it_names);
    tcase_add_test(tcase, reason_of_a_pool_is_of_its_workers);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("IIS");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    suite_add_tcase(suite, parsing());
    suite_add_tcase(suite, asking());
    suite_add_tcase(suite, hearing());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
