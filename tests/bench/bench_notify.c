/*
 * bench_notify NOTIFY RECEIVER [COUNT]: COUNT deliveries (10,000) at once to a receiver on this machine. Prints how long
 * they took and how much memory oomcast-notify had, before and at most; then the same of a receiver that is dead.
 */
#include "tests/integration/harness.h"
#include "tests/integration/notify_run.h"

#include "base/alloc.h"
#include "base/text.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_BYTES 2048

static int64_t memory_kib(pid_t pid, const char *key)
{
    char path[64], line[256];
    FILE *file = NULL;
    int64_t kib = -1;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    file = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtoll(line + strlen(key) + 1, NULL, 10);
    }
    if (file)
        (void)fclose(file);
    return kib;
}

static int64_t cpu_ms(pid_t pid)
{
    char path[64], text[512] = "";
    FILE *file = NULL;
    const char *at = NULL;
    unsigned long user = 0, system = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "r");
    if (file && fgets(text, sizeof(text), file))
        at = strrchr(text, ')');
    if (file)
        (void)fclose(file);
    for (int field = 2; at && field < 14; field++)
        at = strchr(at + 1, ' ');
    if (at) {
        char *end = NULL;

        user = strtoul(at, &end, 10);
        system = strtoul(end, NULL, 10);
    }
    return (int64_t)(user + system) * 10; /* USER_HZ is 100 */
}

static void measure(struct notify_run *run, const char *what, const char *url, uint64_t count)
{
    struct oc_receiver settings;
    char body[BODY_BYTES + 1];
    int64_t began_ms = 0, before_kib = 0, before_cpu = cpu_ms(run->pid);
    uint64_t results = run->results;

    memset(body, 'x', BODY_BYTES);
    body[BODY_BYTES] = '\0';
    notify_settings(&settings, what, OC_RECEIVER_WEBHOOK, url);
    notify_tell(run, &settings);
    oc_receiver_clear(&settings);
    notify_deliver(run, "first", what, body); /* what is made once is made */
    notify_wait_results(run, ++results);
    before_kib = memory_kib(run->pid, "VmRSS:");
    began_ms = now_ms();
    for (uint64_t i = 0; i < count; i++) {
        char id[32];

        (void)snprintf(id, sizeof(id), "msg_%" PRIu64, i);
        notify_deliver(run, id, what, body);
    }
    notify_wait_results(run, results + count);
    (void)printf("%s: %" PRIu64 " of %d bytes in %" PRId64 " ms, %" PRId64
                 " ms of CPU; resident %" PRId64 " KiB before, %" PRId64 " KiB at most\n",
                 what, count, BODY_BYTES, now_ms() - began_ms, cpu_ms(run->pid) - before_cpu,
                 before_kib, memory_kib(run->pid, "VmHWM:"));
}

static uint64_t wanted = 10000;

/* In the frame of a test, for what it is made of asserts. */
START_TEST(deliveries)
{
    struct notify_run run;
    struct notify_server *server = NULL;
    char url[64];

    notify_setup(&run);
    server = notify_serve(&run, NULL);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server->port);
    notify_start(&run, NULL);
    (void)printf("started: resident %" PRId64 " KiB\n", memory_kib(run.pid, "VmRSS:"));
    measure(&run, "alive", url, wanted);
    measure(&run, "dead", "http://127.0.0.1:9/", wanted / 10);
    notify_teardown(&run);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("bench_notify");
    TCase *one = tcase_create("deliveries");
    SRunner *runner = NULL;
    int failed = 0;

    if (argc < 3 || (argc > 3 && oc_text_u64(argv[3], &wanted) < 0)) {
        (void)fprintf(stderr, "usage: bench_notify NOTIFY RECEIVER [COUNT]\n");
        return 2;
    }
    (void)setenv("OC_NOTIFY", argv[1], 1);
    (void)setenv("OC_RECEIVER", argv[2], 1);
    tcase_add_test(one, deliveries);
    suite_add_tcase(suite, one);
    runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
