/*
 * A fixed number of ticks over recorded /proc text and a made-up store, for counting instructions:
 * tests/bench/count runs it under callgrind, which collects inside measured() alone.
 *
 * usage: ticks MODE, from a folder that it may write to; TEXT_DIR is compiled in.
 */
#include "base/alloc.h"
#include "base/os.h"
#include "probes/probe.h"
#include "storage/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROCESSES 100u
#define FIRST_PID 1000u
#define TICKS 200
#define WARM_TICKS 5
#define STORE_TICKS 1200 /* past two seals of every source */
#define TICK_MS 1000
#define MAX_TEXT_BYTES 65536u

struct mode {
    const char *name;
    enum oc_look look;
    int store; /* the store instead of the probe */
};

static const struct mode modes[] = {
    { "ladder", OC_LOOK_LADDER, 0 }, { "least", OC_LOOK_LEAST, 0 }, { "basic", OC_LOOK_BASIC, 0 },
    { "pss", OC_LOOK_PSS, 0 },       { "store", OC_LOOK_LEAST, 1 },
};

struct bench {
    oc_probe *probe;
    oc_proc *procs[PROCESSES];
    oc_store *store;
    uint32_t sources[PROCESSES];
    struct oc_tick tick;
    uint64_t samples;
};

static int fail(const char *what, const char *detail)
{
    fprintf(stderr, "ticks: %s: %s\n", what, detail);
    return -1;
}

/* ---- a tree like /proc ---- */

static int copy_text(const char *name, const char *to)
{
    char from[512] = "";
    char *text = NULL;
    size_t len_bytes = 0;
    int rc = 0;

    (void)snprintf(from, sizeof(from), "%s/%s", TEXT_DIR, name);
    rc = oc_file_read(from, MAX_TEXT_BYTES, &text, &len_bytes);
    if (rc == 0)
        rc = oc_file_write_atomic(to, text, len_bytes);
    oc_free(text);
    return rc ? fail(from, oc_err_text(rc)) : 0;
}

static int make_process(unsigned pid)
{
    static const char *const names[] = { "stat", "statm", "status", "smaps_rollup", "cgroup" };
    char path[64] = "";

    (void)snprintf(path, sizeof(path), "proc/%u", pid);
    if (mkdir(path, 0755) != 0)
        return fail(path, strerror(errno));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "proc/%u/%s", pid, names[i]);
        if (copy_text(names[i], path) != 0)
            return -1;
    }
    return 0;
}

static int make_tree(void)
{
    if (mkdir("proc", 0755) != 0 || mkdir("cgroup", 0755) != 0)
        return fail("proc", strerror(errno));
    for (unsigned i = 0; i < PROCESSES; i++) {
        if (make_process(FIRST_PID + i) != 0)
            return -1;
    }
    return copy_text("meminfo", "proc/meminfo");
}

/* ---- ticks of the probe ---- */

static int open_probe(struct bench *bench, enum oc_look look)
{
    const struct oc_probe_options options = {
        .proc_root = "proc", .cgroup_root = "cgroup", .look = look, .no_connector = 1
    };
    struct oc_detail detail = { 0 };

    if (make_tree() != 0)
        return -1;
    if (oc_probe_open(&options, &bench->probe, &detail) != 0)
        return fail("probe", detail.text);
    for (unsigned i = 0; i < PROCESSES; i++) {
        const int rc = oc_probe_attach(bench->probe, FIRST_PID + i, &bench->procs[i]);

        if (rc != 0)
            return fail("attach", oc_err_text(rc));
    }
    return 0;
}

static void probe_tick(struct bench *bench, int64_t t_ms)
{
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

    (void)oc_probe_tick_begin(bench->probe, t_ms * 1000000);
    oc_tick_begin(&bench->tick, t_ms);
    for (unsigned i = 0; i < PROCESSES; i++) {
        const int rc = oc_probe_read(bench->probe, bench->procs[i], &sample);

        if (rc == OC_READ_SAME)
            oc_tick_same(&bench->tick, i + 1);
        else if (rc == 0)
            oc_tick_put(&bench->tick, i + 1, &sample);
        bench->samples += rc >= 0;
    }
}

/* ---- ticks of the store ---- */

static int open_store(struct bench *bench)
{
    const struct oc_store_options options = { .path = "bench.db",
                                              .boot_id = "01234567-89ab-cdef-0123-456789abcdef",
                                              .now_boot_ms = 1,
                                              .now_unix_ms = INT64_C(1700000000000) };
    struct oc_store_report report = { 0 };
    struct oc_detail detail = { 0 };

    if (oc_store_open(&options, &bench->store, &report, &detail) != 0)
        return fail("store", detail.text);
    for (unsigned i = 0; i < PROCESSES; i++) {
        const struct oc_proc_facts facts = { .id = { .pid = FIRST_PID + i, .start_ticks = i + 1 },
                                             .uid = -1,
                                             .name = "bench" };
        const struct oc_source_info info = { .kind = OC_SOURCE_PROCESS,
                                             .subject = "proc:bench",
                                             .begin_boot_ms = 1,
                                             .facts = &facts,
                                             .interval_ms = TICK_MS };
        const int rc = oc_store_source_begin(bench->store, &info, &bench->sources[i]);

        if (rc != 0)
            return fail("source", oc_err_text(rc));
    }
    return 0;
}

/* Sixteen figures of a process that grows by a few pages, as most do that run. */
static void made_up(struct oc_sample *sample, unsigned process, int64_t t_ms)
{
    const int64_t pages = (t_ms / TICK_MS) * (1 + process % 7) % 5000;

    memset(sample, 0, sizeof(*sample));
    sample->block = OC_BLOCK_PROCESS;
    for (enum oc_metric metric = OC_METRIC_PRIVATE; metric <= OC_METRIC_PSS; metric++)
        oc_sample_set(sample, metric, (int64_t)metric * 1000000 * 4096);
    oc_sample_set(sample, OC_METRIC_PRIVATE, (20000 + pages) * 4096);
    oc_sample_set(sample, OC_METRIC_RSS, (30000 + pages) * 4096);
    oc_sample_set(sample, OC_METRIC_RSS_ANON, (20000 + pages) * 4096);
    oc_sample_set(sample, OC_METRIC_MINOR_FAULTS, 50000 + pages * 3);
    oc_sample_set(sample, OC_METRIC_CPU_TIME, t_ms / 10 * 7);
}

/* One process in four ran since the last tick. */
static void store_tick(struct bench *bench, int64_t t_ms)
{
    struct oc_sample sample;

    oc_tick_begin(&bench->tick, t_ms);
    for (unsigned i = 0; i < PROCESSES; i++) {
        if (i % 4 != 0 && t_ms != TICK_MS) {
            oc_tick_same(&bench->tick, bench->sources[i]);
        } else {
            made_up(&sample, i, t_ms);
            oc_tick_put(&bench->tick, bench->sources[i], &sample);
        }
    }
    if (oc_store_append(bench->store, &bench->tick) == 0 &&
        oc_store_commit(bench->store, OC_DURABLE_BATCH, t_ms) == 0)
        bench->samples += PROCESSES;
}

/* ---- the run ---- */

/* What callgrind collects. Not inlined: it is found by its name. */
__attribute__((noinline)) static void measured(struct bench *bench, const struct mode *mode)
{
    const int ticks = mode->store ? STORE_TICKS : TICKS;

    for (int i = 1; i <= ticks; i++) {
        const int64_t t_ms = (int64_t)(WARM_TICKS + i) * TICK_MS;

        if (mode->store)
            store_tick(bench, t_ms);
        else
            probe_tick(bench, t_ms);
    }
}

static int run(struct bench *bench, const struct mode *mode)
{
    if ((mode->store ? open_store(bench) : open_probe(bench, mode->look)) != 0)
        return -1;
    oc_tick_init(&bench->tick);
    for (int i = 1; i <= WARM_TICKS; i++) {
        if (mode->store)
            store_tick(bench, (int64_t)i * TICK_MS);
        else
            probe_tick(bench, (int64_t)i * TICK_MS);
    }
    bench->samples = 0;
    measured(bench, mode);
    return bench->tick.bytes.err;
}

int main(int argc, char **argv)
{
    struct bench bench = { 0 };
    const struct mode *mode = NULL;
    uint64_t wanted = 0;
    int rc = 0;

    for (size_t i = 0; argc == 2 && i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(modes[i].name, argv[1]) == 0)
            mode = &modes[i];
    }
    if (!mode) {
        fprintf(stderr, "usage: ticks ladder|least|basic|pss|store, in an empty folder\n");
        return 2;
    }
    rc = run(&bench, mode);
    wanted = (uint64_t)PROCESSES * (mode->store ? STORE_TICKS : TICKS);
    printf("samples %llu\n", (unsigned long long)bench.samples);
    if (rc == 0 && bench.samples != wanted)
        rc = fail("samples", "some are missing");
    oc_tick_clear(&bench.tick);
    for (unsigned i = 0; bench.probe && i < PROCESSES; i++)
        oc_probe_detach(bench.probe, bench.procs[i]);
    oc_probe_close(bench.probe);
    (void)oc_store_close(bench.store);
    return rc ? 1 : 0;
}
