/*
 * bench_walks DIR: what keeping walks and limits costs, and what asking for them does.
 *
 * Ordinary processes: 15 cells, 60 modules, 40 families; at each walk a third of cells and families
 * has changed. One process with 10,000 modules to which each walk brings 100. Limits of 1,000
 * sources, 8 each.
 */
#include "base/alloc.h"
#include "base/os.h"
#include "storage/reader.h"
#include "storage/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CELLS = 15, FAMILIES = 40, MODULES = 60, PROCESSES = 100, WALKS = 144 };
enum { MANY_MODULES = 10000, MANY_NEW = 100, MANY_WALKS = 60 };
enum { LIMIT_SOURCES = 1000, LIMITS = 8 };
enum { MINUTE = 60000 };

static uint64_t state = 1;

static unsigned chance(unsigned below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % below;
}

static double cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static long long written_bytes(void)
{
    char line[128];
    long long bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");

    while (file && fgets(line, sizeof line, file))
        (void)sscanf(line, "wchar: %lld", &bytes);
    if (file)
        fclose(file);
    return bytes;
}

static uint64_t file_bytes(const char *path)
{
    uint64_t bytes = 0;

    (void)oc_file_size(path, &bytes);
    return bytes;
}

static uint32_t begin(oc_store *store, const char *subject, uint32_t pid)
{
    struct oc_proc_facts facts = { .id = { .pid = pid }, .name = "walked" };
    struct oc_source_info info = {
        .kind = OC_SOURCE_PROCESS, .subject = subject, .facts = &facts, .interval_ms = 10000
    };
    uint32_t id = 0;

    if (oc_store_source_begin(store, &info, &id) < 0)
        exit(1);
    return id;
}

static void add_text(struct oc_census *census, const char *text, uint32_t *out_at)
{
    if (oc_census_add_text(census, text, strlen(text), out_at) < 0)
        exit(1);
}

/* A census with room for what is said. */
static void make(struct oc_census *census, size_t modules)
{
    memset(census, 0, sizeof *census);
    census->totals = oc_calloc(CELLS, sizeof *census->totals);
    census->families = oc_calloc(FAMILIES, sizeof *census->families);
    census->modules = oc_calloc(modules, sizeof *census->modules);
    census->has_regions = census->has_modules = 1;
    census->has_families = 15;
    census->total_count = CELLS;
    census->family_count = FAMILIES;
    census->largest_free_bytes = UINT64_C(1) << 46;
    census->largest_free_start = UINT64_C(1) << 45;
    memcpy(census->runtime, "dotnet", 7);
    for (unsigned i = 0; i < CELLS; i++)
        census->totals[i] = (struct oc_region_total){ .usage = (uint8_t)(1 + i % 9),
                                                      .type = (uint8_t)(1 + i / 9),
                                                      .state = OC_REGION_COMMIT,
                                                      .count = 10 + i,
                                                      .bytes = (1 + i) * 1000003u * 4096 / 100,
                                                      .largest_bytes = (1 + i) * 100u * 4096,
                                                      .resident_bytes = OC_RESIDENT_UNKNOWN };
    for (unsigned i = 0; i < FAMILIES; i++) {
        char name[64];

        (void)snprintf(name, sizeof name, "family-of-some-length-%u-*.so", i);
        census->families[i].kind = (uint8_t)(i % 4);
        census->families[i].flags = OC_FAMILY_FOLDED;
        census->families[i].count = census->families[i].distinct = 1 + i;
        census->families[i].bytes = i * 65536u;
        add_text(census, name, &census->families[i].name);
        add_text(census, name, &census->families[i].example);
    }
}

static void add_modules(struct oc_census *census, size_t from, size_t until, const char *path)
{
    for (size_t i = from; i < until; i++) {
        char name[96];
        struct oc_module *module = &census->modules[census->module_count++];

        (void)snprintf(name, sizeof name, "%s-%08x.so", path, (unsigned)i);
        *module = (struct oc_module){ .base = UINT64_C(0x7f0000000000) + i * 0x200000,
                                      .bytes = 4096 * (1 + i % 300),
                                      .inode = 1000000 + i };
        add_text(census, name, &module->name);
    }
}

/* A third of all changes. */
static void change(struct oc_census *census)
{
    for (unsigned i = 0; i < CELLS; i++)
        if (chance(3) == 0)
            census->totals[i].bytes += 4096 * (1 + chance(1000));
    for (unsigned i = 0; i < FAMILIES; i++)
        if (chance(3) == 0) {
            census->families[i].count += 1 + chance(3);
            census->families[i].bytes += 4096;
        }
}

static void put_walk(oc_store *store, uint32_t source, int64_t t_ms, const struct oc_census *census)
{
    struct oc_store_walk walk = {
        .boot_ms = t_ms, .cpu_us = 1500, .wall_us = 2100, .stall_us = 40, .census = census
    };

    if (oc_store_walk(store, source, &walk) < 0)
        exit(1);
}

static void commit(oc_store *store, int64_t t_ms)
{
    if (oc_store_commit(store, OC_DURABLE_BATCH, t_ms) < 0)
        exit(1);
}

static oc_store *open_store(const char *path)
{
    struct oc_store_options options = { .path = path,
                                        .boot_id = "bench",
                                        .now_unix_ms = 1700000000000 };
    struct oc_store_report report;
    struct oc_detail detail;
    oc_store *store = NULL;

    if (oc_store_open(&options, &store, &report, &detail) < 0)
        exit(1);
    return store;
}

static void print_walks(const char *what, double us, long long wrote, uint64_t bytes, int walks)
{
    printf("%s: %.0f us CPU a walk, %.0f bytes a walk at rest, %.0f written\n", what, us / walks,
           (double)bytes / walks, (double)wrote / walks);
}

/* A day of walks every 10 minutes, each in a batch of its own. */
static void ordinary(const char *path)
{
    static struct oc_census census[PROCESSES];
    oc_store *store = open_store(path);
    uint64_t bytes = file_bytes(path);
    long long wrote = 0;
    double us = 0;

    for (int p = 0; p < PROCESSES; p++) {
        make(&census[p], MODULES);
        add_modules(&census[p], 0, MODULES, "/usr/lib/x86_64-linux-gnu/libsomething");
        (void)begin(store, "proc:walked", (uint32_t)p + 1);
    }
    for (int w = 0; w < WALKS; w++) {
        if (w == 1) { /* the first is whole: told apart */
            (void)oc_store_close(store);
            print_walks("ordinary process, first walk", us, wrote, file_bytes(path) - bytes,
                        PROCESSES);
            bytes = file_bytes(path);
            store = open_store(path);
            for (int p = 0; p < PROCESSES; p++)
                (void)begin(store, "proc:walked", (uint32_t)p + 1);
            us = 0;
            wrote = 0;
        }
        for (int p = 0; p < PROCESSES; p++) {
            int64_t t_ms = (w + 1) * 10 * MINUTE + p * 6000;
            long long wrote_before;
            double before;

            change(&census[p]);
            wrote_before = written_bytes();
            before = cpu_us();
            put_walk(store, (uint32_t)p + 1, t_ms, &census[p]);
            commit(store, t_ms);
            us += cpu_us() - before;
            wrote += written_bytes() - wrote_before;
        }
    }
    (void)oc_store_close(store);
    print_walks("ordinary process", us, wrote, file_bytes(path) - bytes, PROCESSES * (WALKS - 1));
    for (int p = 0; p < PROCESSES; p++)
        oc_census_clear(&census[p]);
}

static void many_modules(const char *path)
{
    struct oc_census census;
    oc_store *store = open_store(path);
    uint64_t bytes = file_bytes(path);
    long long wrote = written_bytes();
    uint32_t source = begin(store, "proc:many", 5000);
    double us = cpu_us();

    make(&census, MANY_MODULES + MANY_NEW * MANY_WALKS);
    add_modules(&census, 0, MANY_MODULES, "/tmp/generated/assembly");
    put_walk(store, source, 1000 * MINUTE, &census);
    commit(store, 1000 * MINUTE);
    (void)oc_store_close(store);
    print_walks("10,000 modules, first walk", cpu_us() - us, written_bytes() - wrote,
                file_bytes(path) - bytes, 1);
    bytes = file_bytes(path);
    store = open_store(path);
    source = begin(store, "proc:many", 5000);
    wrote = 0;
    us = 0;
    for (int w = 0; w < MANY_WALKS; w++) {
        int64_t t_ms = (1010 + w * 10) * (int64_t)MINUTE;
        long long wrote_before;
        double before;

        change(&census);
        add_modules(&census, census.module_count, census.module_count + MANY_NEW,
                    "/tmp/generated/assembly");
        wrote_before = written_bytes();
        before = cpu_us();
        put_walk(store, source, t_ms, &census);
        commit(store, t_ms);
        us += cpu_us() - before;
        wrote += written_bytes() - wrote_before;
    }
    (void)oc_store_close(store);
    print_walks("10,000 modules, 100 new", us, wrote, file_bytes(path) - bytes, MANY_WALKS);
    oc_census_clear(&census);
}

static void limits(const char *path)
{
    oc_store *store = open_store(path);
    double us;

    for (int s = 0; s < LIMIT_SOURCES; s++) {
        struct oc_limit items[LIMITS];
        char subject[32];
        uint32_t source;

        (void)snprintf(subject, sizeof subject, "proc:limited-%d", s);
        source = begin(store, subject, 10000 + (uint32_t)s);
        for (int i = 0; i < LIMITS; i++) {
            items[i] =
                (struct oc_limit){ .kind = (uint8_t)(1 + i), .value = 1000000u + (unsigned)s };
            (void)snprintf(items[i].where, sizeof items[i].where, "/system.slice/unit-%d.service",
                           s % 50);
        }
        for (int t = 1; t <= 3; t++) { /* changed twice */
            items[0].value++;
            if (oc_store_limits(store, source, t * MINUTE, items, LIMITS) < 0)
                exit(1);
        }
    }
    us = cpu_us();
    commit(store, 4 * MINUTE);
    printf("limits: %.0f us CPU for those of a source, the first time and two changes\n",
           (cpu_us() - us) / LIMIT_SOURCES);
    (void)oc_store_close(store);
}

/* ---- questions ---- */

static int count_span(const struct oc_limit_span *span, void *context)
{
    *(int *)context += span->limit != NULL;
    return 0;
}

static int count_event(const struct oc_module_event *event, void *context)
{
    *(int *)context += event->name[0] != 0;
    return 0;
}

static int count_point(const struct oc_family_point *point, void *context)
{
    *(int *)context += point->count > 0;
    return 0;
}

static void ask(oc_reader *reader, uint32_t many)
{
    struct oc_census census = { 0 };
    int spans = 0, events = 0, points = 0, repeats = 200;
    int64_t unix_ms;
    double us = cpu_us();

    for (int i = 0; i < repeats; i++) {
        if (oc_reader_census(reader, 1 + chance(PROCESSES),
                             1700000000000 + (10 + (int64_t)chance(WALKS * 10)) * MINUTE, 1,
                             &census, &unix_ms) < 0)
            continue;
        oc_census_clear(&census);
    }
    printf("census of an ordinary process at any time, with modules: %.0f us\n",
           (cpu_us() - us) / repeats);
    us = cpu_us();
    if (oc_reader_census(reader, many, INT64_MAX, 1, &census, &unix_ms) < 0)
        exit(1);
    printf("census with %zu modules: %.1f ms\n", census.module_count, (cpu_us() - us) / 1e3);
    oc_census_clear(&census);
    us = cpu_us();
    (void)oc_reader_modules(reader, many, 1, INT64_MAX, count_event, &events);
    printf("modules that came and went, %d: %.1f ms\n", events, (cpu_us() - us) / 1e3);
    us = cpu_us();
    (void)oc_reader_family(reader, 1, OC_FAMILY_MODULE, "family-of-some-length-0-*.so", 0,
                           INT64_MAX, count_point, &points);
    printf("a family's day, %d points: %.2f ms\n", points, (cpu_us() - us) / 1e3);
    us = cpu_us();
    (void)oc_reader_limits(reader, OC_READER_ALL_SOURCES, 0, INT64_MAX, count_span, &spans);
    printf("limits of %d sources in one question, %d spans: %.1f ms\n", LIMIT_SOURCES, spans,
           (cpu_us() - us) / 1e3);
    us = cpu_us();
    for (uint32_t s = many + 1; s <= many + LIMIT_SOURCES; s++)
        (void)oc_reader_limits(reader, s, 0, INT64_MAX, count_span, &spans);
    printf("the same source by source: %.1f ms\n", (cpu_us() - us) / 1e3);
}

int main(int argc, char **argv)
{
    struct oc_detail detail;
    oc_reader *reader = NULL;
    char path[1024];

    if (argc != 2) {
        fprintf(stderr, "usage: bench_walks DIR\n");
        return 2;
    }
    (void)snprintf(path, sizeof path, "%s/walks.db", argv[1]);
    if (oc_file_exists(path))
        return 1;
    ordinary(path);
    many_modules(path);
    limits(path);
    if (oc_reader_open(path, &reader, &detail) < 0)
        return 1;
    ask(reader, PROCESSES + 1);
    oc_reader_close(reader);
    return 0;
}
