/*
 * A process in a state that a test asks for. Says "ready" once it is in it, obeys each line of
 * standard input, and ends with status 7 when that is closed.
 *
 * usage: proc_fixture wait|leaderless|memfd|odd-name
 * lines: "grow" touches 4 MiB more, "spin" uses 20 ms of CPU, "exec" becomes `proc_fixture wait`
 * in place, "abort" ends by SIGABRT
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define GROW_BYTES (4u << 20)
#define MEMFD_BYTES (2u << 20)
#define SPIN_NS 20000000
#define END_STATUS 7

static char *program;

static void ready(void) { (void)!write(STDOUT_FILENO, "ready\n", 6); }

static int64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void spin(void)
{
    const int64_t until_ns = cpu_ns() + SPIN_NS;

    while (cpu_ns() < until_ns)
        ;
}

static void grow(void)
{
    char *memory =
        mmap(NULL, GROW_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory != MAP_FAILED)
        memset(memory, 1, GROW_BYTES);
}

static void obey(const char *line)
{
    if (strcmp(line, "grow\n") == 0)
        grow();
    else if (strcmp(line, "spin\n") == 0)
        spin();
    else if (strcmp(line, "abort\n") == 0)
        abort();
    else if (strcmp(line, "exec\n") == 0)
        execl(program, "exec-ed", "wait", (char *)NULL);
    ready();
}

static void *obey_all(void *unused)
{
    char line[32];

    (void)unused;
    ready();
    while (fgets(line, sizeof line, stdin))
        obey(line);
    exit(END_STATUS);
}

/* The leader ends, another thread goes on: /proc/PID/statm is all zeros then. */
static void become_leaderless(void)
{
    pthread_t thread;

    grow();
    if (pthread_create(&thread, NULL, obey_all, NULL) != 0)
        exit(1);
    pthread_exit(NULL);
}

static void hold_memfd(void)
{
    int fd = memfd_create("doublemapper", 0);
    char page[4096];

    memset(page, 1, sizeof page);
    for (unsigned i = 0; i < MEMFD_BYTES / sizeof page; i++)
        (void)!write(fd, page, sizeof page);
    (void)dup(fd); /* counted once all the same */
}

int main(int argc, char **argv)
{
    const struct rlimit no_core = { 0, 0 };
    const char *mode = argc > 1 ? argv[1] : "wait";
    static char path[4096];

    program = path;
    if (readlink("/proc/self/exe", path, sizeof path - 1) <= 0)
        return 1;
    (void)setrlimit(RLIMIT_CORE, &no_core);
    if (strcmp(mode, "leaderless") == 0)
        become_leaderless();
    else if (strcmp(mode, "memfd") == 0)
        hold_memfd();
    else if (strcmp(mode, "odd-name") == 0)
        (void)prctl(PR_SET_NAME, "a) Z 1 (\n\x1b[\xff");
    (void)obey_all(NULL);
    return 0;
}
