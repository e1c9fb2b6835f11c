/*
 * A process whose memory has the shapes that it is told: shapes KIND=COUNT … makes them in this
 * order, says "ready", and again after each line on its input; it ends with its input.
 *
 * Lines: "spin" burns some CPU, "exec" becomes itself with one mapping more.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB ((size_t)1 << 10)
#define MIB (KIB << 10)
#define MAPPING_BYTES (64 * KIB)
#define STACK_BYTES (256 * KIB)
#define MAX_SECONDS 300

static char folder[PATH_MAX]; /* of files that are mapped; goes at the end */

/* ---- help ---- */

static int is_bad(const void *at) { return at == MAP_FAILED; }

static void *anonymous(size_t bytes, int rights, int flags)
{
    return mmap(NULL, bytes, rights, MAP_ANONYMOUS | flags, -1, 0);
}

static int in_folder(char *out, size_t out_bytes, const char *name)
{
    if (!folder[0]) {
        (void)snprintf(folder, sizeof folder, "/tmp/shapes-XXXXXX");
        if (!mkdtemp(folder))
            return -1;
    }
    return snprintf(out, out_bytes, "%s/%s", folder, name) < (int)out_bytes ? 0 : -1;
}

static int map_file(const char *path, size_t bytes)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *at = MAP_FAILED;

    if (fd < 0)
        return -1;
    if (ftruncate(fd, (off_t)bytes) == 0)
        at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    (void)close(fd);
    return is_bad(at) ? -1 : 0;
}

/* ---- memory ---- */

static int add_mappings(size_t count)
{
    for (size_t i = 0; i < count; i++) { /* neighbours with the same rights would become one */
        if (is_bad(
                anonymous(MAPPING_BYTES, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE)))
            return -1;
    }
    return 0;
}

static int add_reserved_mib(size_t count)
{
    return is_bad(anonymous(count * MIB, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE)) ? -1 : 0;
}

static int add_shared_kib(size_t count)
{
    return is_bad(anonymous(count * KIB, PROT_READ | PROT_WRITE, MAP_SHARED)) ? -1 : 0;
}

static int add_touched_kib(size_t count)
{
    char *at = anonymous(count * KIB, PROT_READ | PROT_WRITE, MAP_PRIVATE);

    if (is_bad(at))
        return -1;
    memset(at, 1, count * KIB);
    return 0;
}

static int add_jit_kib(size_t count)
{
    return is_bad(anonymous(count * KIB, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE)) ? -1 : 0;
}

static int add_brk_kib(size_t count)
{
    return sbrk((intptr_t)(count * KIB)) == (void *)-1 ? -1 : 0;
}

static int add_memfd_kib(size_t count)
{
    int fd = memfd_create("shapes", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, (off_t)(count * KIB)) != 0)
        return -1;
    return is_bad(mmap(NULL, count * KIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) ? -1 : 0;
}

/* As the JIT of .NET has it: one file, mapped twice. */
static int add_doublemapper_kib(size_t count)
{
    int fd = memfd_create("doublemapper", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, (off_t)(count * KIB)) != 0)
        return -1;
    if (is_bad(mmap(NULL, count * KIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)))
        return -1;
    return is_bad(mmap(NULL, count * KIB, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0)) ? -1 : 0;
}

static int add_shm_kib(size_t count)
{
    char path[64];
    int rc = 0;

    (void)snprintf(path, sizeof path, "/dev/shm/shapes-%d", (int)getpid());
    rc = map_file(path, count * KIB);
    (void)unlink(path);
    return rc;
}

/* On a file system in memory that nobody else sees; needs the right to mount one. */
static int add_tmpfs_kib(size_t count)
{
    char path[PATH_MAX];

    if (in_folder(path, sizeof path, "tmpfs") != 0 || mkdir(path, 0700) != 0 ||
        unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", path, "tmpfs", 0, NULL) != 0 ||
        in_folder(path, sizeof path, "tmpfs/file") != 0)
        return -1;
    return map_file(path, count * KIB);
}

static int add_sysv_kib(size_t count)
{
    int id = shmget(IPC_PRIVATE, count * KIB, 0600);
    void *at = id < 0 ? (void *)-1 : shmat(id, NULL, 0);

    if (id >= 0)
        (void)shmctl(id, IPC_RMID, NULL); /* with the last that has it */
    return at == (void *)-1 ? -1 : 0;
}

/* ---- files ---- */

static int add_files(size_t count)
{
    char path[PATH_MAX], name[64];

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "data-%03zu.bin", i);
        if (in_folder(path, sizeof path, name) != 0 || map_file(path, 2 * MAPPING_BYTES) != 0)
            return -1;
    }
    return 0;
}

static int add_deleted(size_t count)
{
    char path[PATH_MAX], name[64];

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "gone-%03zu.bin", i);
        if (in_folder(path, sizeof path, name) != 0 || map_file(path, MAPPING_BYTES) != 0)
            return -1;
        (void)unlink(path);
    }
    return 0;
}

/* Names that look like something else, one mapping each. */
static int add_hostile(size_t count)
{
    static const char *const names[] = {
        "[heap]",
        "[stack]",
        "new\nline",
        "esc\033[31mred",
        "real (deleted)",
        "a (deleted) b",
        "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 ",
        "bad\xff\xc3utf",
    };
    char path[PATH_MAX];

    for (size_t i = 0; i < count && i < sizeof names / sizeof names[0]; i++) {
        if (in_folder(path, sizeof path, names[i]) != 0 || map_file(path, MAPPING_BYTES) != 0)
            return -1;
    }
    return 0;
}

/* A path as long as they come: folders are entered, since no call takes it whole. */
static int add_deep(size_t count)
{
    char name[201], path[PATH_MAX];
    int rc = in_folder(path, sizeof path, "deep");

    memset(name, 'n', 200);
    name[200] = '\0';
    if (rc != 0 || mkdir(path, 0700) != 0 || chdir(path) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (mkdir(name, 0700) != 0 || chdir(name) != 0)
            return -1;
    }
    rc = map_file("end", MAPPING_BYTES);
    return chdir("/") == 0 ? rc : -1;
}

/* Copies of the module beside this program, as "qrt-x6cw.so". */
static int copy_module(const char *to_path)
{
    char path[PATH_MAX] = "";
    const ssize_t got = readlink("/proc/self/exe", path, sizeof path - 1);
    char *slash = got > 0 ? strrchr(path, '/') : NULL;
    struct stat facts = { .st_size = 0 };
    ssize_t sent = -1;
    int from = -1, to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

    if (to < 0)
        return -1;
    if (slash && snprintf(slash, sizeof path - (size_t)(slash - path), "/leaker_module.so") > 0)
        from = open(path, O_RDONLY | O_CLOEXEC);
    if (from >= 0 && fstat(from, &facts) == 0)
        sent = sendfile(to, from, NULL, (size_t)facts.st_size);
    if (from >= 0)
        (void)close(from);
    (void)close(to);
    return sent > 0 && sent == facts.st_size ? 0 : -1;
}

static void random_word(char *out, size_t len)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static uint64_t state = 88172645463325252U; /* the same names each time */

    for (size_t i = 0; i < len; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out[i] = digits[state % 36];
    }
    out[len] = '\0';
}

static int load_modules(size_t count, int unlink_it)
{
    char path[PATH_MAX], name[32], word[8];

    for (size_t i = 0; i < count; i++) {
        random_word(word, 6);
        (void)snprintf(name, sizeof name, "qrt-%s.so", word);
        if (in_folder(path, sizeof path, name) != 0 || copy_module(path) != 0 ||
            !dlopen(path, RTLD_NOW | RTLD_LOCAL))
            return -1;
        if (unlink_it)
            (void)unlink(path);
    }
    return 0;
}

static int add_modules(size_t count) { return load_modules(count, 0); }
static int add_lost_modules(size_t count) { return load_modules(count, 1); }

/* ---- threads ---- */

static pthread_barrier_t begun;

static void *sleeper(void *name)
{
    (void)prctl(PR_SET_NAME, (char *)name);
    (void)pthread_barrier_wait(&begun);
    for (;;)
        (void)pause();
    return NULL;
}

static void *allocator(void *name)
{
    static _Thread_local void *held;

    held = malloc(1000); /* from an arena of its own */
    return held ? sleeper(name) : NULL;
}

static void *churner(void *name)
{
    (void)prctl(PR_SET_NAME, (char *)name);
    (void)pthread_barrier_wait(&begun);
    for (;;) {
        char *at = anonymous(16 * MAPPING_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE);

        if (is_bad(at))
            continue;
        (void)mprotect(at + 2 * MAPPING_BYTES, MAPPING_BYTES, PROT_NONE);
        (void)munmap(at + 4 * MAPPING_BYTES, MAPPING_BYTES);
        (void)munmap(at, 16 * MAPPING_BYTES);
    }
    return NULL;
}

static int start_threads(size_t count, const char *prefix, void *(*run)(void *))
{
    pthread_attr_t attributes;
    pthread_t thread;
    int rc = 0;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    (void)pthread_barrier_init(&begun, NULL, 2);
    for (size_t i = 0; i < count && rc == 0; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "%s-%zu", prefix, i);
        rc = pthread_create(&thread, &attributes, run, name);
        if (rc == 0)
            (void)pthread_barrier_wait(&begun); /* it has its name, and what it holds */
    }
    (void)pthread_attr_destroy(&attributes);
    errno = rc;
    return rc ? -1 : 0;
}

static int add_threads(size_t count) { return start_threads(count, "worker", sleeper); }
static int add_churn(size_t count) { return start_threads(count, "churn", churner); }

static int add_arenas(size_t count)
{
    (void)mallopt(M_ARENA_MAX, (int)count + 1);
    return start_threads(count, "arena", allocator);
}

/* ---- descriptors ---- */

static int add_fds(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
            return -1;
    }
    return 0;
}

static int add_sockets(size_t count)
{
    int pair[2];

    for (size_t i = 0; i < count; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
            return -1;
    }
    return 0;
}

static int add_eventfds(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (eventfd(0, EFD_CLOEXEC) < 0)
            return -1;
    }
    return 0;
}

/* ---- the command line ---- */

static const struct {
    const char *name;
    int (*add)(size_t count);
} kinds[] = {
    { "mappings", add_mappings },
    { "reserved_mib", add_reserved_mib },
    { "shared_kib", add_shared_kib },
    { "touched_kib", add_touched_kib },
    { "jit_kib", add_jit_kib },
    { "brk_kib", add_brk_kib },
    { "memfd_kib", add_memfd_kib },
    { "doublemapper_kib", add_doublemapper_kib },
    { "shm_kib", add_shm_kib },
    { "tmpfs_kib", add_tmpfs_kib },
    { "sysv_kib", add_sysv_kib },
    { "files", add_files },
    { "deleted", add_deleted },
    { "hostile", add_hostile },
    { "deep", add_deep },
    { "modules", add_modules },
    { "lost_modules", add_lost_modules },
    { "threads", add_threads },
    { "arenas", add_arenas },
    { "churn", add_churn },
    { "fds", add_fds },
    { "sockets", add_sockets },
    { "eventfds", add_eventfds },
};

static int make(const char *order)
{
    const char *equals = strchr(order, '=');
    const size_t count = equals ? (size_t)strtoul(equals + 1, NULL, 10) : 0;

    for (size_t i = 0; equals && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strlen(kinds[i].name) == (size_t)(equals - order) &&
            strncmp(kinds[i].name, order, (size_t)(equals - order)) == 0)
            return kinds[i].add(count);
    }
    errno = EINVAL;
    return -1;
}

/* Removes the folder of files with all in it. */
static void remove_folder(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry = NULL;

    if (!dir || fchdir(dirfd(dir)) != 0)
        return;
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(dir), entry->d_name, 0) != 0) {
            remove_folder(entry->d_name);
            (void)fchdir(dirfd(dir));
            (void)rmdir(entry->d_name);
        }
    }
    (void)closedir(dir);
}

static void clean_up(void)
{
    char path[PATH_MAX + 8];

    if (!folder[0])
        return;
    if (snprintf(path, sizeof path, "%s/tmpfs", folder) < (int)sizeof path)
        (void)umount2(path, MNT_DETACH);
    remove_folder(folder);
    (void)chdir("/");
    (void)rmdir(folder);
}

static void spin(void)
{
    for (volatile int i = 0; i < 20000000; i++)
        continue;
}

static void say_ready(void)
{
    if (write(STDOUT_FILENO, "ready\n", 6) != 6)
        _exit(1);
}

int main(int argc, char **argv)
{
    static char input[BUFSIZ]; /* stdio's own would come of malloc() after "ready" */
    char line[64];

    (void)setvbuf(stdin, input, _IOFBF, sizeof input);
    (void)alarm(MAX_SECONDS);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 1; i < argc; i++) {
        if (make(argv[i]) != 0) {
            fprintf(stderr, "shapes: %s: %s\n", argv[i], strerror(errno));
            clean_up();
            return 1;
        }
    }
    say_ready();
    while (fgets(line, sizeof line, stdin)) {
        if (strcmp(line, "exec\n") == 0)
            (void)execl("/proc/self/exe", "shapes", "mappings=1", (char *)NULL);
        spin();
        say_ready();
    }
    clean_up();
    return 0;
}
