/* Alerts without a daemon around them: what waits for the store, and heap caps of command lines. */
#include "daemon/alert_cap.h"
#include "daemon/alert_ops.h"
#include "suites.h"

#include "base/alloc.h"
#include "base/os.h"
#include "tests/support/folder.h"

#include <stdio.h>
#include <string.h>

#define GIB (UINT64_C(1) << 30)

/* ---- what waits for the store ---- */

static struct oc_alert_ops ops;
static oc_store *store;
static char folder[128], path[160];

static void setup(void)
{
    struct oc_store_options options = { .path = path, .boot_id = "boot", .now_unix_ms = 1000000 };
    struct oc_store_report report;
    struct oc_detail detail = { 0 };

    ck_assert_int_eq(make_folder("oomcast-unit", folder, sizeof(folder)), 0);
    (void)snprintf(path, sizeof(path), "%s/oomcast.db", folder);
    ck_assert_msg(oc_store_open(&options, &store, &report, &detail) == OC_OK, "%s", detail.text);
    oc_alert_ops_init();
    ops = (struct oc_alert_ops){ 0 };
}

static void teardown(void)
{
    oc_alloc_fail_at(0, 0);
    oc_alert_ops_clear(&ops);
    ck_assert_int_eq(oc_store_close(store), OC_OK);
    ck_assert_int_eq(remove_folder(folder), 0);
    ck_assert_int_eq(oc_alloc_live(), 0);
}

static struct oc_alert alert_of(uint64_t episode)
{
    struct oc_alert alert = { .fingerprint = episode,
                              .episode = episode,
                              .kind = OC_RULE_THRESHOLD,
                              .severity = OC_SEVERITY_WARN,
                              .state = OC_ALERT_FIRING,
                              .pending_unix_ms = 5,
                              .firing_unix_ms = 6,
                              .changed_unix_ms = 6 };

    (void)snprintf(alert.rule, sizeof(alert.rule), "TooLarge");
    (void)snprintf(alert.subject, sizeof(alert.subject), "proc:n%u", (unsigned)episode);
    return alert;
}

static int count_one(const struct oc_alert *alert, void *context)
{
    (void)alert;
    ++*(unsigned *)context;
    return 0;
}

static unsigned stored(void)
{
    unsigned count = 0;

    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_NOW, 10), OC_OK);
    ck_assert_int_ge(oc_store_alerts(store, count_one, &count), 0);
    return count;
}

static const struct oc_alert_decision decision = { .t_unix_ms = 6,
                                                   .episode = 1,
                                                   .fingerprint = 1,
                                                   .to = OC_ALERT_FIRING,
                                                   .rule = "TooLarge",
                                                   .subject = "proc:n1",
                                                   .reason = "it is" };

START_TEST(what_waits_reaches_the_store_in_its_order)
{
    struct oc_alert alert = alert_of(1);
    struct oc_outbox_row row = {
        .id = "msg_1", .receiver = "ops", .why = "", .body = "{}", .body_bytes = 2
    };
    struct oc_silence silence = { .id = 1,
                                  .begin_unix_ms = 1,
                                  .end_unix_ms = 9,
                                  .matcher_count = 1,
                                  .matchers = { { .name = "subject", .glob = "*" } } };

    ck_assert_int_eq(oc_alert_ops_alert(&ops, &alert, 1), OC_OK);
    ck_assert_int_eq(oc_alert_ops_decision(&ops, &decision), OC_OK);
    ck_assert_int_eq(oc_alert_ops_outbox(&ops, &row), OC_OK);
    ck_assert_int_eq(oc_alert_ops_silence(&ops, &silence), OC_OK);
    ck_assert_ptr_nonnull(oc_alert_op_alert(ops.first));
    ck_assert_ptr_null(oc_alert_op_alert(ops.first->next));
    ck_assert_int_eq(oc_alert_ops_store(&ops, store), OC_OK);
    ck_assert_ptr_null(ops.first);
    ck_assert_uint_eq(ops.bytes, 0);
    ck_assert_uint_eq(stored(), 1);
}
END_TEST

/* Some alerts and their reasons find room in what was taken at start; more do not, and nothing breaks. */
START_TEST(without_memory_the_reserve_serves)
{
    unsigned kept = 0;

    oc_alloc_fail_at(1, 1);
    for (uint64_t episode = 1; episode < 100; episode++) {
        struct oc_alert alert = alert_of(episode);

        if (oc_alert_ops_alert(&ops, &alert, 1) < 0)
            break;
        kept++;
    }
    oc_alloc_fail_at(0, 0);
    ck_assert_uint_ge(kept, 16);
    ck_assert_uint_lt(kept, 99);
    ck_assert_int_eq(oc_alert_ops_store(&ops, store), OC_OK);
    ck_assert_uint_eq(stored(), kept);
}
END_TEST

/* One failed allocation of the store's: what it did not take in stays, and is taken in the next time. */
START_TEST(what_the_store_refused_is_given_to_it_again)
{
    for (uint64_t nth = 1; nth < 60; nth++) {
        struct oc_alert alert = alert_of(nth);

        ck_assert_int_eq(oc_alert_ops_alert(&ops, &alert, 1), OC_OK);
        oc_alloc_fail_at(nth % 7 + 1, 0);
        (void)oc_alert_ops_store(&ops, store);
        oc_alloc_fail_at(0, 0);
        ck_assert_int_eq(oc_alert_ops_store(&ops, store), OC_OK);
        ck_assert_ptr_null(ops.first);
    }
    ck_assert_uint_eq(stored(), 59);
}
END_TEST

START_TEST(what_waits_is_bounded)
{
    static char body[1 << 20];
    struct oc_outbox_row row = {
        .id = "msg_1", .why = "", .body = body, .body_bytes = sizeof(body) - 1
    };
    int rc = OC_OK;
    unsigned count = 0;

    memset(body, 'x', sizeof(body) - 1);
    while (rc == OC_OK && count++ < 1000)
        rc = oc_alert_ops_outbox(&ops, &row);
    ck_assert_int_eq(rc, OC_E_TOOBIG);
    ck_assert_uint_le(ops.bytes, OC_ALERT_OPS_MAX_BYTES);
}
END_TEST

/* ---- heap caps ---- */

static const struct {
    const char *cmdline;
    uint64_t bytes; /* in a container of 4 GiB; 0: none */
} caps[] = {
    { "java -Xmx2g -jar shop.jar", 2 * GIB },
    { "java -Xmx512M -Xmx3G -jar shop.jar", 3 * GIB }, /* the last counts */
    { "java -XX:MaxHeapSize=1073741824 a", GIB },
    { "java -XX:MaxRAMPercentage=75.0 a", 3 * GIB },
    { "java -Xmx1g -XX:MaxRAMPercentage=75 a", GIB },
    { "node --max-old-space-size=2048 server.js", 2 * GIB },
    { "env DOTNET_GCHeapHardLimit=0x40000000 dotnet shop.dll", GIB },
    { "env DOTNET_GCHeapHardLimit=40000000 dotnet shop.dll", GIB }, /* hexadecimal either way */
    { "env DOTNET_GCHeapHardLimitPercent=0x32 dotnet shop.dll", 2 * GIB },
    { "java -jar shop.jar", 0 },
    { "java -Xmx -jar shop.jar", 0 },
    { "java -Xmx2gg a", 0 },
    { "java -Xmx99999999999999999g a", 0 },
    { "java -XX:MaxRAMPercentage=400 a", 0 },
    { "grep x-Xmx2g", 0 },
    { "", 0 },
};

START_TEST(heap_caps_are_read_as_runtimes_do)
{
    struct oc_heap_cap cap;

    oc_heap_cap_parse(caps[_i].cmdline, &cap);
    ck_assert_msg(oc_heap_cap_bytes(&cap, 4 * GIB) == caps[_i].bytes, "%s: %llu", caps[_i].cmdline,
                  (unsigned long long)oc_heap_cap_bytes(&cap, 4 * GIB));
}
END_TEST

Suite *alert_suite(void)
{
    Suite *suite = suite_create("alert");
    TCase *waiting = tcase_create("waiting");
    TCase *heaps = tcase_create("caps");

    tcase_add_checked_fixture(waiting, setup, teardown);
    tcase_add_test(waiting, what_waits_reaches_the_store_in_its_order);
    tcase_add_test(waiting, without_memory_the_reserve_serves);
    tcase_add_test(waiting, what_the_store_refused_is_given_to_it_again);
    tcase_add_test(waiting, what_waits_is_bounded);
    tcase_add_loop_test(heaps, heap_caps_are_read_as_runtimes_do, 0,
                        sizeof(caps) / sizeof(caps[0]));
    suite_add_tcase(suite, waiting);
    suite_add_tcase(suite, heaps);
    return suite;
}
