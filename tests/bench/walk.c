/*
 * What a walk costs beside what the kernel takes to write the file: a process with many mappings
 * (and modules), each kind of walk some rounds, the least CPU time of
 * them. usage: bench_walk [MAPPINGS [MODULES]]
 */
#include "probes/probe.h"

#include "base/os.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 15

extern char **environ;

/* It ends, and takes its files with it, once *out_input_fd is closed. */
static pid_t start(const char *mappings, const char *modules, int *out_input_fd)
{
    char first[32], second[32], program[] = SHAPES;
    char *const args[] = { program, first, second, NULL };
    posix_spawn_file_actions_t actions;
    char ready[6];
    pid_t pid = 0;
    int out[2], in[2];

    (void)snprintf(first, sizeof first, "mappings=%s", mappings);
    (void)snprintf(second, sizeof second, "modules=%s", modules);
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(in, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    if (posix_spawn(&pid, program, &actions, NULL, args, environ) != 0)
        return -1;
    posix_spawn_file_actions_destroy(&actions);
    (void)close(out[1]);
    (void)close(in[0]);
    *out_input_fd = in[1];
    return read(out[0], ready, sizeof ready) == (ssize_t)sizeof ready ? pid : -1;
}

/* The floor: the file read as it is written. */
static void read_plain(pid_t pid)
{
    static char text[65536];
    char path[32];
    int fd = -1;

    (void)snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    while (read(fd, text, sizeof text) > 0)
        continue;
    (void)close(fd);
}

static int walk(pid_t pid, unsigned want, double *out_stall_us, int64_t *out_mappings)
{
    const struct oc_walk_request request = { .pid = (uint32_t)pid, .want = want };
    struct oc_walk walk;
    int rc = oc_probe_walk(NULL, &request, &walk);

    if (rc != OC_OK)
        return rc;
    *out_stall_us = (double)walk.stall_ns / 1000;
    *out_mappings = oc_sample_get(&walk.sample, OC_METRIC_MAPPINGS);
    oc_walk_clear(&walk);
    return OC_OK;
}

/* The least of some rounds, in ns of CPU. want 0: the floor. */
static int64_t least(pid_t pid, unsigned want, double *out_stall_us, int64_t *out_mappings)
{
    int64_t best_ns = INT64_MAX;

    for (int i = 0; i < ROUNDS; i++) {
        int64_t begin_ns = oc_clock_thread_cpu_ns();

        if (want == 0)
            read_plain(pid);
        else if (walk(pid, want, out_stall_us, out_mappings) != OC_OK)
            return -1;
        begin_ns = oc_clock_thread_cpu_ns() - begin_ns;
        if (begin_ns < best_ns)
            best_ns = begin_ns;
    }
    return best_ns;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        unsigned want;
    } kinds[] = {
        { "counts", OC_WALK_COUNTS },
        { "regions", OC_WALK_REGIONS },
        { "regions, modules, families", OC_WALK_REGIONS | OC_WALK_MODULES | OC_WALK_FAMILIES },
        { "all that the daemon asks for", OC_WALK_USUAL },
    };
    int input_fd = -1;
    const pid_t pid = start(argc > 1 ? argv[1] : "60000", argc > 2 ? argv[2] : "0", &input_fd);
    double stall_us = 0;
    int64_t mappings = 1, floor_ns = 0;

    if (pid < 0 || walk(pid, OC_WALK_COUNTS, &stall_us, &mappings) != OC_OK) {
        fprintf(stderr, "bench_walk: no process to look at\n");
        return 1;
    }
    floor_ns = least(pid, 0, &stall_us, &mappings);
    printf("%-30s %8.2f ms %6.3f us/mapping  of %lld mappings\n", "reading maps alone",
           (double)floor_ns / 1e6, (double)floor_ns / 1e3 / (double)mappings, (long long)mappings);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const int64_t ns = least(pid, kinds[i].want, &stall_us, &mappings);

        printf("%-30s %8.2f ms %6.3f us/mapping  %5.2fx  longest read %.0f us\n", kinds[i].name,
               (double)ns / 1e6, (double)ns / 1e3 / (double)mappings, (double)ns / (double)floor_ns,
               stall_us);
    }
    (void)close(input_fd);
    (void)waitpid(pid, NULL, 0);
    return 0;
}
