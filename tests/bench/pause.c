/*
 * pause SECONDS [MIB]: a process that feels being watched. It owns MIB (1024) of touched memory and
 * 1,000 mappings, and for SECONDS maps, touches and unmaps 64 KiB again and again. It prints its PID
 * first ("pid N"), then how long its rounds took: "worst_us W p999_us P rounds N".
 *
 * Whoever reads its /proc files takes its mmap lock, and the rounds wait: the worst of them is what
 * the watcher costs the watched.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define BUCKETS 64
#define ROUND_BYTES 65536

static double now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static char *map(size_t bytes, int protection)
{
    char *memory = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        perror("pause: mmap");
        exit(1);
    }
    return memory;
}

static void settle(size_t mib)
{
    char *memory = map(mib << 20, PROT_READ | PROT_WRITE);

    (void)madvise(memory, mib << 20, MADV_NOHUGEPAGE);
    memset(memory, 1, mib << 20);
    for (int i = 0; i < 1000; i++) /* protections alternate, so that the kernel does not merge them */
        (void)map(8192, i & 1 ? PROT_READ : PROT_READ | PROT_WRITE);
}

static double one_round_us(void)
{
    double began_us = now_us();
    char *memory = map(ROUND_BYTES, PROT_READ | PROT_WRITE);

    for (size_t at = 0; at < ROUND_BYTES; at += 4096)
        memory[at] = 1;
    (void)munmap(memory, ROUND_BYTES);
    return now_us() - began_us;
}

/* The least bucket bound (powers of the square root of two, in us) that 99.9 % of the rounds keep. */
static double p999_us(const uint64_t *buckets, uint64_t rounds)
{
    uint64_t above = 0;
    double bound_us = 1;
    int last = BUCKETS - 1;

    for (; last > 0 && (above += buckets[last]) <= rounds / 1000; last--)
        ;
    for (int i = 0; i < last; i++)
        bound_us *= 1.4142135;
    return bound_us;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 10, until_us = 0, worst_us = 0;
    uint64_t buckets[BUCKETS] = { 0 }, rounds = 0;

    (void)alarm((unsigned)seconds + 60);
    settle(argc > 2 ? (size_t)atol(argv[2]) : 1024);
    printf("pid %ld\n", (long)getpid());
    (void)fflush(stdout);
    for (until_us = now_us() + seconds * 1e6; now_us() < until_us; rounds++) {
        double us = one_round_us(), bound = 1;
        int bucket = 0;

        while (bound < us && bucket < BUCKETS - 1) {
            bound *= 1.4142135;
            bucket++;
        }
        buckets[bucket]++;
        if (us > worst_us)
            worst_us = us;
    }
    printf("worst_us %.0f p999_us %.0f rounds %llu\n", worst_us, p999_us(buckets, rounds),
           (unsigned long long)rounds);
    return 0;
}
