/* The parts of the daemon together over a scripted probe and a real store, without its surroundings. */
#ifndef OC_TESTS_UNIT_DAEMON_FIXTURE_H
#define OC_TESTS_UNIT_DAEMON_FIXTURE_H

#include "daemon/daemon.h"
#include "daemon/self.h"
#include "daemon/watch.h"
#include "probes/fake/fake.h"
#include "storage/reader.h"

#include <check.h>
#include <stdint.h>

#define DEADLINE_MS                                                                                \
    90000 /* only against hanging: Wine on a loaded machine may take half a minute for thousands */
#define MIB (INT64_C(1) << 20)
#define QUEUE_BYTES (512u << 10)

extern struct oc_daemon *const d; /* of the test at hand */

/* A store in a folder of its own, the fake probe, a writer, groups. */
void fixture_setup(void);
void fixture_teardown(void);

/* Walkers too, which call walk: from here on what takes facts is asked. Before begin(). */
void start_walkers(oc_walk_fn *walk);
/* Discovery. */
void begin(void);
/* Ends the daemon in the order of main(); the store stays for a look. */
void finish(void);

void start_process(uint32_t pid, const char *name, int64_t rss_bytes);

/* Runs the loop until the samples are so many; until so many processes are watched; until done() says so. */
void run_until_samples(uint64_t samples);
void run_until_watched(uint32_t processes);
void run_until(int (*done)(void));

/* ---- what the store says ---- */

struct seen {
    unsigned lives, running;
    uint64_t samples;
    struct oc_life_row last;
    char last_subject[100];
    enum oc_end ends[16];
};

struct seen look(const char *subject);

#endif
