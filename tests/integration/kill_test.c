/*
 * Kills oomcastd with SIGKILL at random moments under load, again and again on one store, and holds
 * the store against what the daemon had acknowledged: each (source, time) that came through
 * --ack-fd must be there, and the store must be sound.
 *
 * usage: kill_test OOMCASTD LEAKER; OC_KILLS says how often (20), OC_KILL_SEED repeats a run.
 */
#include "base/metric.h"
#include "storage/reader.h"
#include "tests/integration/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEAKERS 30
#define FIRST_ACK_DEADLINE_MS 20000
#define CHECK_EVERY 20 /* kills between two checks of the whole file */

struct run {
    const char *oomcastd;
    char dir[128];   /* of the store and all else */
    char pids[160];  /* file with the pids to watch */
    char store[160]; /* the database */
    struct leakers leakers;
    struct acks acks;
    unsigned kills;
    uint64_t random;
};

/* xorshift64*: repeatable by its seed */
static unsigned random_below(struct run *run, unsigned end)
{
    run->random ^= run->random >> 12;
    run->random ^= run->random << 25;
    run->random ^= run->random >> 27;
    return (unsigned)((run->random * UINT64_C(2685821657736338717)) >> 33) % end;
}

/* ---- a kill ---- */

static pid_t start_daemon(const struct run *run, int ack_fd)
{
    char ack_text[16] = "";
    char *argv[] = { (char *)(uintptr_t)run->oomcastd,
                     "--foreground",
                     "--pids-from",
                     (char *)(uintptr_t)run->pids,
                     "--interval",
                     "100ms",
                     "--data",
                     (char *)(uintptr_t)run->dir,
                     "--ack-fd",
                     ack_text,
                     NULL };

    (void)snprintf(ack_text, sizeof(ack_text), "%d", ACK_FD);
    return start(argv, ack_fd, ACK_FD);
}

/* One in five dies while it starts, the others at any moment of up to two batches. */
static int listen_for_a_while(struct run *run)
{
    int rc = 0;

    if (random_below(run, 5) == 0) {
        rc = acks_until(&run->acks, now_ms() + (int64_t)random_below(run, 300));
    } else {
        rc = acks_first(&run->acks, now_ms() + FIRST_ACK_DEADLINE_MS);
        if (rc == 0)
            rc = acks_until(&run->acks, now_ms() + (int64_t)random_below(run, 1200));
    }
    return rc ? fail("oomcastd", "it ended by itself, or acknowledged nothing") : 0;
}

static int kill_once(struct run *run)
{
    int ends[2];
    int rc = 0;
    pid_t pid = 0;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail("pipe", strerror(errno));
    acks_from(&run->acks, ends[0]);
    pid = start_daemon(run, ends[1]);
    (void)close(ends[1]);
    rc = pid > 0 ? listen_for_a_while(run) : fail(run->oomcastd, strerror(errno));
    stop(pid, SIGKILL);
    while (rc == 0 && (rc = acks_take(&run->acks)) > 0)
        rc = 0; /* what it wrote before it died counts too */
    (void)close(ends[0]);
    return rc;
}

/* ---- the store against the acknowledgements ---- */

static int by_source_and_time(const void *a, const void *b)
{
    const struct ack *x = a, *y = b;

    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return (x->t_ms > y->t_ms) - (x->t_ms < y->t_ms);
}

/* Acks of one source, in order, with wall clock times. One that was found gets source UINT32_MAX. */
struct expected {
    struct ack *acks;
    size_t count;
};

static int mark_found(const struct oc_point *point, void *context)
{
    struct expected *expected = context;
    const int64_t t_ms = point->t_unix_ms;
    size_t low = 0, high = expected->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (expected->acks[middle].t_ms < t_ms)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < expected->count && expected->acks[low].t_ms == t_ms; low++)
        expected->acks[low].source = UINT32_MAX;
    return 0;
}

static size_t missing(const struct expected *expected)
{
    size_t count = 0;

    for (size_t i = 0; i < expected->count; i++)
        count += expected->acks[i].source != UINT32_MAX;
    return count;
}

/* A source has figures of its kind: the first of these that answers for all is enough. */
static int verify_source(oc_reader *reader, struct ack *acks, size_t count)
{
    static const unsigned metrics[] = { OC_METRIC_RSS, OC_METRIC_VIRTUAL, OC_METRIC_CPU_TIME,
                                        OC_METRIC_CGROUP_CURRENT, OC_METRIC_HOST_AVAILABLE };
    const uint32_t source = acks[0].source;
    const struct oc_range all = { .since_unix_ms = acks[0].t_ms,
                                  .until_unix_ms = acks[count - 1].t_ms + 1 };
    struct expected expected = { .acks = acks, .count = count };
    size_t gone = count;

    for (size_t i = 0; gone && i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        struct oc_range range = all;

        range.metric = metrics[i];
        range.precision = OC_PRECISE_EXACT;
        (void)oc_reader_range(reader, source, &range, mark_found, &expected);
        gone = missing(&expected);
    }
    if (gone)
        fprintf(stderr, "source %" PRIu32 ": %zu of %zu acknowledged samples are lost\n", source,
                gone, count);
    return gone ? -1 : 0;
}

static int one_boot(oc_reader *reader, uint32_t *out_boot)
{
    sqlite3_stmt *statement = NULL;
    int rc = -1;

    if (sqlite3_prepare_v2(oc_reader_sqlite(reader), "SELECT max(boot) FROM clock", -1, &statement,
                           NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        *out_boot = (uint32_t)sqlite3_column_int64(statement, 0);
        rc = 0;
    }
    (void)sqlite3_finalize(statement);
    return rc ? fail("the clock table", sqlite3_errmsg(oc_reader_sqlite(reader))) : 0;
}

static int verify_sorted(oc_reader *reader, struct ack *acks, size_t count)
{
    int rc = 0;

    for (size_t begin = 0, end = 0; begin < count; begin = end) {
        const uint32_t source = acks[begin].source;

        while (end < count && acks[end].source == source)
            end++;
        if (verify_source(reader, acks + begin, end - begin) != 0)
            rc = -1;
    }
    return rc;
}

/* All acknowledgements from number `first` on. */
static int verify(struct run *run, size_t first)
{
    const size_t count = run->acks.count - first;
    struct oc_detail detail = { 0 };
    oc_reader *reader = NULL;
    struct ack *copy = NULL;
    uint32_t boot = 0;
    int rc = -1;

    if (count == 0)
        return 0;
    if (oc_reader_open(run->store, &reader, &detail) != 0)
        return fail("the store does not open", detail.text);
    copy = malloc(count * sizeof(*copy));
    if (copy && one_boot(reader, &boot) == 0) {
        memcpy(copy, run->acks.items + first, count * sizeof(*copy));
        for (size_t i = 0; i < count; i++)
            copy[i].t_ms = oc_reader_unix_ms(reader, boot, copy[i].t_ms);
        qsort(copy, count, sizeof(*copy), by_source_and_time);
        rc = verify_sorted(reader, copy, count);
    }
    free(copy);
    oc_reader_close(reader);
    return rc;
}

static void print_finding(const char *text, void *context)
{
    (void)context;
    fprintf(stderr, "db check: %s\n", text);
}

static int check_store(const struct run *run)
{
    struct oc_detail detail = { 0 };
    oc_reader *reader = NULL;
    int found = 0;

    if (oc_reader_open(run->store, &reader, &detail) != 0)
        return fail("the store does not open", detail.text);
    found = oc_reader_check(reader, print_finding, NULL, NULL);
    oc_reader_close(reader);
    return found == 0 ? 0 : fail("the store is not sound", oc_err_text(found));
}

/* ---- the run ---- */

static int kill_and_verify(struct run *run)
{
    for (unsigned i = 1; i <= run->kills; i++) {
        const size_t before = run->acks.count;

        if (kill_once(run) != 0 || verify(run, before) != 0) {
            fprintf(stderr, "at kill %u\n", i);
            return -1;
        }
        if (i % CHECK_EVERY == 0 && check_store(run) != 0)
            return -1;
    }
    /* Once more over all: later recoveries and sealing must not have lost what was there before. */
    return verify(run, 0) == 0 && check_store(run) == 0 ? 0 : -1;
}

static int prepare(struct run *run, const char *leaker)
{
    if (make_folder("oomcast-kills", run->dir, sizeof(run->dir)) != 0)
        return -1;
    (void)snprintf(run->pids, sizeof(run->pids), "%s/pids", run->dir);
    (void)snprintf(run->store, sizeof(run->store), "%s/oomcast.db", run->dir);
    return leakers_start(&run->leakers, leaker, LEAKERS, run->pids);
}

int main(int argc, char **argv)
{
    static struct run run;
    const uint64_t seed = from_environment("OC_KILL_SEED", (uint64_t)now_ms());
    int rc = -1;

    if (argc != 3) {
        fprintf(stderr, "usage: kill_test OOMCASTD LEAKER\n");
        return 2;
    }
    run.oomcastd = argv[1];
    run.kills = (unsigned)from_environment("OC_KILLS", 20);
    run.random = seed * 2 + 1; /* never 0 */
    printf("OC_KILL_SEED=%" PRIu64 "\n", seed);
    (void)fflush(stdout);
    if (prepare(&run, argv[2]) == 0)
        rc = kill_and_verify(&run);
    leakers_stop(&run.leakers);
    printf("%u kills, %zu acknowledged samples%s\n", run.kills, run.acks.count,
           rc ? "" : ", all of them there, the store is sound");
    if (rc == 0)
        remove_folder(run.dir);
    else
        printf("the store is left in %s\n", run.dir);
    acks_clear(&run.acks);
    return rc ? 1 : 0;
}
