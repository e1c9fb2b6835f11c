/*
 * crowd N NAME: N processes NAME-0001 … that sleep until this one ends. Prints "ready N" once all of them are there.
 * A process that does nothing has some 100 KiB of its own, so that thousands of subjects fit into a test.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_COUNT 10000

static void live(const char *name, unsigned number, int ready)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%.10s-%04u", name, number % MAX_COUNT);
    (void)prctl(PR_SET_NAME, text);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)!write(ready, "r", 1);
    (void)close(ready);
    for (;;)
        (void)pause();
}

static int wait_all(int ready, unsigned count)
{
    char byte = 0;

    while (count > 0) {
        ssize_t got = read(ready, &byte, 1);

        if (got == 1)
            count--;
        else if (got == 0 || errno != EINTR)
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long count = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
    int ends[2];

    if (count < 1 || count > MAX_COUNT - 1 || pipe(ends) != 0) {
        fputs("usage: crowd N NAME\n", stderr);
        return 2;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (unsigned i = 1; i <= count; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            (void)close(ends[0]);
            live(argv[2], i, ends[1]);
        }
        if (pid < 0) {
            perror("crowd: fork");
            return 1;
        }
    }
    (void)close(ends[1]);
    if (wait_all(ends[0], (unsigned)count) != 0)
        return 1;
    printf("ready %lu\n", count);
    (void)fflush(stdout);
    while (wait(NULL) > 0 || errno == EINTR)
        ;
    return 0;
}
