/*
 * A process that grows as told, for tests, demonstrations and measurements. It always ends by
 * itself: after --for seconds, or with its parent.
 *
 * What it holds is a function of the time since its start, so that a late wake-up catches up and a
 * test can work out what the watcher ought to have seen.
 */
#include "tests/programs/growth.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define WAKE_MS 50        /* between two steps of growth, where the kind has no period */
#define MAX_SECONDS 86400 /* of --for */
#define MAX_AMOUNT (UINT64_C(1) << 40) /* of any number on the command line */
#define THREAD_STACK_BYTES (64 * KIB)
#define MAPPING_BYTES (64 * KIB)
#define BUFFER_BYTES (16 * KIB)
#define CACHE_FILE_BYTES (256 * MIB)

struct plan {
    const struct kind *kind;
    uint64_t base; /* held from the start */
    struct growth growth;
    unsigned for_s;
    int exit_status;
    int refused_status; /* once it cannot hold more; 0: it stays */
};

/* A kind of growth: how much is to be held, and how to hold that much. */
struct kind {
    const char *name;
    const char *text;
    growth_fn *wanted;             /* NULL: nothing grows */
    int (*hold)(uint64_t amount);  /* 0, or -1 with errno */
    uint64_t rate, max, period_ms; /* defaults */
};

static int exit_status;

/* ---- bytes ---- */

/* One mapping made longer or shorter, so that size, data and resident set all tell the same story.
 */
static int resize(char **at, uint64_t *held, uint64_t amount, int (*grow_file)(uint64_t))
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint64_t want = (amount / page + 1) * page;
    void *moved = NULL;

    if (grow_file && want > *held && grow_file(want) != 0)
        return -1;
    moved = mremap(*at, *held, want, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED)
        return -1;
    *at = moved;
    for (uint64_t i = *held; i < want; i += page)
        (*at)[i] = (char)(i / page | 1); /* not zero: a page of zeros might be merged */
    if (grow_file && want < *held && grow_file(want) != 0)
        return -1;
    *held = want;
    return 0;
}

static int hold_heap(uint64_t amount)
{
    static char *at;
    static uint64_t held;

    if (!at) {
        held = (uint64_t)sysconf(_SC_PAGESIZE);
        at = mmap(NULL, held, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
            return -1;
    }
    return resize(&at, &held, amount, NULL);
}

static int memfd = -1;

static int grow_memfd(uint64_t amount) { return ftruncate(memfd, (off_t)amount); }

static int hold_memfd(uint64_t amount)
{
    static char *at;
    static uint64_t held;

    if (memfd < 0) {
        held = (uint64_t)sysconf(_SC_PAGESIZE);
        memfd = memfd_create("leaker", MFD_CLOEXEC);
        if (memfd < 0 || grow_memfd(held) != 0)
            return -1;
        at = mmap(NULL, held, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
        if (at == MAP_FAILED)
            return -1;
    }
    return resize(&at, &held, amount, grow_memfd);
}

/* The file has no name, and its old pages are written over: the kernel may drop them at any time. */
static int hold_cache(uint64_t amount)
{
    static const char bytes[64 * KIB] = { 1 };
    static int fd = -1;
    static uint64_t written;

    if (fd < 0)
        fd = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    for (; fd >= 0 && written < amount; written += sizeof bytes) {
        if (pwrite(fd, bytes, sizeof bytes, (off_t)(written % CACHE_FILE_BYTES)) < 0)
            return -1;
    }
    return fd < 0 ? -1 : 0;
}

/* ---- things, one after the other ---- */

static int hold_things(uint64_t *held, uint64_t amount, int (*add)(uint64_t number))
{
    for (; *held < amount; (*held)++) {
        if (add(*held) != 0)
            return -1;
    }
    return 0;
}

static int add_mapping(uint64_t number)
{
    /* Neighbours with the same rights would become one mapping. */
    const int rights = number % 2 ? PROT_READ : PROT_READ | PROT_WRITE;
    char *at = mmap(NULL, MAPPING_BYTES, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        return -1;
    if (rights & PROT_WRITE)
        at[0] = 1;
    return 0;
}

static int hold_mappings(uint64_t amount)
{
    static uint64_t held;

    return hold_things(&held, amount, add_mapping);
}

static int add_fd(uint64_t number)
{
    (void)number;
    return open("/dev/null", O_RDONLY | O_CLOEXEC) < 0 ? -1 : 0;
}

static int hold_fds(uint64_t amount)
{
    static uint64_t held;

    return hold_things(&held, amount, add_fd);
}

/* With the memory that goes with it. */
static int add_connection(uint64_t number)
{
    char *at = mmap(NULL, BUFFER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        return -1;
    memset(at, 1, BUFFER_BYTES);
    return add_fd(number);
}

static int hold_connections(uint64_t amount)
{
    static uint64_t held;

    return hold_things(&held, amount, add_connection);
}

static void *sleeper(void *unused)
{
    (void)unused;
    for (;;)
        (void)pause();
    return NULL;
}

static int add_thread(uint64_t number)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int rc = 0;

    (void)number;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    rc = pthread_create(&thread, &attributes, sleeper, NULL);
    (void)pthread_attr_destroy(&attributes);
    errno = rc;
    return rc ? -1 : 0;
}

static int hold_threads(uint64_t amount)
{
    static uint64_t held;

    return hold_things(&held, amount, add_thread);
}

/* The module lies beside this program. */
static int open_module(void)
{
    char path[PATH_MAX] = "";
    const ssize_t got = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash = got > 0 ? strrchr(path, '/') : NULL;
    const size_t room = slash ? sizeof(path) - (size_t)(slash + 1 - path) : 0;

    if (!slash || snprintf(slash + 1, room, "leaker_module.so") >= (int)room) {
        errno = ENOENT;
        return -1;
    }
    return open(path, O_RDONLY | O_CLOEXEC);
}

static int copy_module(int to)
{
    struct stat facts;
    ssize_t sent = 0;
    int from = open_module();

    if (from < 0)
        return -1;
    if (fstat(from, &facts) == 0)
        sent = sendfile(to, from, NULL, (size_t)facts.st_size);
    (void)close(from);
    return sent > 0 && sent == facts.st_size ? 0 : -1;
}

/* As a serializer does that compiles an assembly per call: the same code under a made-up name. */
static int add_module(uint64_t number)
{
    char path[] = "/tmp/leaker-XXXXXX.so";
    const int to = mkostemps(path, 3, O_CLOEXEC);
    int rc = 0;

    (void)number;
    if (to < 0)
        return -1;
    rc = copy_module(to);
    (void)close(to);
    if (rc == 0 && !dlopen(path, RTLD_NOW | RTLD_LOCAL))
        rc = -1;
    (void)unlink(path);
    return rc;
}

static int hold_modules(uint64_t amount)
{
    static uint64_t held;

    return hold_things(&held, amount, add_module);
}

/* ---- the kinds ---- */

static const struct kind kinds[] = {
    { "line", "anonymous memory, evenly", growth_line, hold_heap, MIB, 1024 * MIB, WAKE_MS },
    { "step", "anonymous memory, at once every --period", growth_step, hold_heap, MIB, 1024 * MIB,
      5000 },
    { "sawtooth", "as line, given back every --period", growth_sawtooth, hold_heap, 8 * MIB,
      1024 * MIB, 5000 },
    { "ratchet", "as sawtooth, but a quarter stays", growth_ratchet, hold_heap, 8 * MIB, 1024 * MIB,
      5000 },
    { "plateau", "as line until --max, then quiet", growth_line, hold_heap, 8 * MIB, 64 * MIB,
      WAKE_MS },
    { "warmup", "to --max, slower and slower", growth_warmup, hold_heap, 0, 64 * MIB, 5000 },
    { "jump", "--max at once after --period, then quiet", growth_jump, hold_heap, 0, 64 * MIB,
      5000 },
    { "wave", "to --max and back in each --period", growth_wave, hold_heap, 0, 64 * MIB, 5000 },
    { "memfd", "pages of a memfd, mapped shared", growth_line, hold_memfd, MIB, 256 * MIB,
      WAKE_MS },
    { "cache", "page cache of a file, again every 256 MiB", growth_line, hold_cache, 8 * MIB,
      MAX_AMOUNT, WAKE_MS },
    { "mappings", "mappings that cannot merge", growth_line, hold_mappings, 100, 60000, WAKE_MS },
    { "modules", "copies of one shared object, under new names", growth_line, hold_modules, 10,
      10000, WAKE_MS },
    { "threads", "sleeping threads", growth_line, hold_threads, 10, 1000, WAKE_MS },
    { "fds", "open descriptors", growth_line, hold_fds, 10, 900, WAKE_MS },
    { "connections", "open descriptors, each with a buffer", growth_line, hold_connections, 10, 900,
      WAKE_MS },
    { "idle", "nothing: holds --base and sleeps", NULL, hold_heap, 0, 0, WAKE_MS },
};

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    return NULL;
}

/* ---- the command line ---- */

static void help(FILE *to)
{
    fputs("usage: leaker KIND [options]\n\n"
          "Grows as told, until --for is over or its parent ends. Prints \"ready PID\" once it\n"
          "holds --base.\n\nKinds, with --rate and --max if not given:\n",
          to);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        fprintf(to, "  %-11s %-46s %8" PRIu64 "/s, %" PRIu64 "\n", kinds[i].name, kinds[i].text,
                kinds[i].rate, kinds[i].max);
    fputs("\nOptions (a number may end in K, M or G: 1024, 1024^2, 1024^3):\n"
          "  --base BYTES     anonymous memory held from the start (0)\n"
          "  --rate N         bytes, or things, a second\n"
          "  --max N          growth ends here\n"
          "  --period MS      of what comes round, or takes so long (5000)\n"
          "  --for SECONDS    then it ends (600)\n"
          "  --exit STATUS    with this exit status (0)\n"
          "  --refused STATUS with this one as soon as it cannot hold more; 0: it stays (0)\n"
          "  --name NAME      what it calls itself (comm, 15 bytes)\n"
          "  --help           this text\n\n"
          "Examples:\n"
          "  leaker line --rate 4M --for 60\n"
          "  leaker sawtooth --base 100M --rate 16M --period 10000\n"
          "  leaker mappings --rate 100000 --max 60000\n",
          to);
}

static int parse_amount(const char *text, uint64_t max, uint64_t *out_amount)
{
    char *end = NULL;
    unsigned shift = 0;
    unsigned long long number = 0;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno || end == text || *text == '-' || number > max)
        return -1;
    if (*end) {
        const char *suffixes = "KMG";
        const char *found = strchr(suffixes, *end++);

        if (!found || *end)
            return -1;
        shift = 10 * (unsigned)(found - suffixes + 1);
    }
    if (number > max >> shift)
        return -1;
    *out_amount = (uint64_t)number << shift;
    return 0;
}

static int usage_error(const char *what, const char *text)
{
    fprintf(stderr, "leaker: %s: %s (see leaker --help)\n", what, text);
    return 2;
}

enum {
    OPT_BASE = 1,
    OPT_RATE,
    OPT_MAX,
    OPT_PERIOD,
    OPT_FOR,
    OPT_EXIT,
    OPT_REFUSED,
    OPT_NAME,
    OPT_HELP
};

static const struct option options[] = {
    { "base", required_argument, NULL, OPT_BASE },
    { "rate", required_argument, NULL, OPT_RATE },
    { "max", required_argument, NULL, OPT_MAX },
    { "period", required_argument, NULL, OPT_PERIOD },
    { "for", required_argument, NULL, OPT_FOR },
    { "exit", required_argument, NULL, OPT_EXIT },
    { "refused", required_argument, NULL, OPT_REFUSED },
    { "name", required_argument, NULL, OPT_NAME },
    { "help", no_argument, NULL, OPT_HELP },
    { NULL, 0, NULL, 0 },
};

/* 0, or -1 where the argument makes no sense. */
static int take_option(struct plan *plan, int option, const char *text)
{
    uint64_t number = 0;
    const uint64_t max = option == OPT_FOR || option == OPT_PERIOD ? MAX_SECONDS * UINT64_C(1000)
                         : option == OPT_EXIT || option == OPT_REFUSED ? 255
                                                                       : MAX_AMOUNT;

    if (option == OPT_NAME)
        return prctl(PR_SET_NAME, text);
    if (parse_amount(text, max, &number) != 0)
        return -1;
    switch (option) {
    case OPT_BASE:
        plan->base = number;
        return 0;
    case OPT_RATE:
        plan->growth.rate = number;
        return 0;
    case OPT_MAX:
        plan->growth.max = number;
        return 0;
    case OPT_PERIOD:
        plan->growth.period_ms = number;
        return number ? 0 : -1;
    case OPT_FOR:
        plan->for_s = (unsigned)(number < MAX_SECONDS ? number : MAX_SECONDS);
        return number ? 0 : -1;
    case OPT_REFUSED:
        plan->refused_status = (int)number;
        return 0;
    default:
        plan->exit_status = (int)number;
        return 0;
    }
}

static int take_options(struct plan *plan, int argc, char **argv)
{
    for (int option = 0; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == OPT_HELP) {
            help(stdout);
            exit(0);
        }
        if (option == '?')
            return 2; /* getopt said why */
        if (take_option(plan, option, optarg) != 0)
            return usage_error("makes no sense", optarg);
    }
    return optind < argc ? usage_error("not understood", argv[optind]) : 0;
}

static int take_command_line(struct plan *plan, int argc, char **argv)
{
    const int first = argc > 1 && argv[1][0] != '-';

    if (first)
        plan->kind = find_kind(argv[1]);
    if (first && !plan->kind)
        return usage_error("no such kind", argv[1]);
    if (plan->kind) {
        plan->growth.rate = plan->kind->rate;
        plan->growth.max = plan->kind->max;
        plan->growth.period_ms = plan->kind->period_ms;
    }
    if (take_options(plan, argc - first, argv + first) != 0)
        return 2;
    return plan->kind ? 0 : usage_error("KIND is missing", "line, step, …");
}

/* ---- the run ---- */

static void on_end(int signal_number)
{
    (void)signal_number;
    _exit(exit_status);
}

/* Whatever happens to the test that started it, this process ends. */
static void end_some_day(const struct plan *plan)
{
    const pid_t parent = getppid();
    struct sigaction action = { .sa_handler = on_end };

    exit_status = plan->exit_status;
    (void)sigaction(SIGALRM, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)alarm(plan->for_s);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(exit_status); /* it ended before the line above */
}

static void raise_fd_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static uint64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void sleep_until(uint64_t at_ms)
{
    const struct timespec t = { .tv_sec = (time_t)(at_ms / 1000),
                                .tv_nsec = (long)(at_ms % 1000 * 1000000) };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        continue;
}

static int comes_round(growth_fn *wanted)
{
    return wanted == growth_sawtooth || wanted == growth_ratchet || wanted == growth_wave;
}

/* Nothing more will change: no wake-up either, so that the process is truly idle. */
static int settled(const struct plan *plan, uint64_t held)
{
    return !plan->kind->wanted || (!comes_round(plan->kind->wanted) && held >= plan->growth.max) ||
           (plan->kind->rate && plan->growth.rate == 0);
}

static void refused(const struct plan *plan, uint64_t amount)
{
    fprintf(stderr, "leaker: cannot hold %" PRIu64 ": %s\n", amount, strerror(errno));
    if (plan->refused_status)
        _exit(plan->refused_status);
}

static int run(const struct plan *plan)
{
    const uint64_t begin_ms = now_ms();
    /* Memory of kinds that count things is held apart from the things. */
    const uint64_t below = plan->kind->hold == hold_heap ? plan->base : 0;
    const uint64_t wake_ms = plan->kind->wanted == growth_step ? plan->growth.period_ms : WAKE_MS;
    uint64_t held = 0;

    for (uint64_t turn = 1; !settled(plan, held); turn++) {
        sleep_until(begin_ms + turn * wake_ms);
        held = plan->kind->wanted(&plan->growth, now_ms() - begin_ms);
        if (plan->kind->hold(below + held) != 0) {
            refused(plan, held);
            break;
        }
    }
    for (;;)
        (void)pause();
    return 0;
}

int main(int argc, char **argv)
{
    struct plan plan = { .for_s = 600 };

    if (take_command_line(&plan, argc, argv) != 0)
        return 2;
    end_some_day(&plan);
    raise_fd_limit();
    if (plan.base && hold_heap(plan.base) != 0) {
        fprintf(stderr, "leaker: cannot hold --base: %s\n", strerror(errno));
        return 1;
    }
    printf("ready %ld\n", (long)getpid());
    (void)fflush(stdout);
    return run(&plan);
}
