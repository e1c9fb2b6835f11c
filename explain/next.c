/* What to do next: commands for this system, this runtime and the causes that fit, with the PID filled in. */
#include "explain/view.h"

#include "base/os.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OURS_MAX 4
#define CAUSES_LOOKED_AT 3 /* the likeliest */
#define WORD_BYTES 700     /* a quoted subject */

#define C(kind) (1u << OC_CAUSE_##kind)
#define ANY_CAUSE 0u
#define HEAPS (1u << OC_CAUSE_NATIVE_HEAP | 1u << OC_CAUSE_UNKNOWN | 1u << OC_CAUSE_ARENAS)
#define LOADED (1u << OC_CAUSE_GENERATED_MODULES | 1u << OC_CAUSE_LOADER_HEAP | 1u << OC_CAUSE_JIT)

enum step_flag {
    OURS = 1u,
    STOPS = 2u,  /* the watched is paused or slowed */
    STORE = 4u,  /* needs a subject that the store knows */
    LIVE = 8u,   /* needs the process */
    LINUX = 16u, /* that system alone */
    WINDOWS = 32u,
    GROWTH = 64u,    /* where something grew */
    PROCESS = 256u,  /* of processes, not of a cgroup or the host */
    AROUND = 512u,   /* of a cgroup or the host */
    NO_GROWTH = 128u /* where nothing did, or there was but one look */
};

/* {PID} {SUBJECT} {SINCE} {METRIC} {NAME} {CGROUP}. The most telling first. */
static const struct row {
    unsigned causes; /* 0: any */
    unsigned runtimes;
    unsigned flags;
    const char *needs; /* a word of the command line; NULL */
    const char *command, *text;
} rows[] = {
    /* ---- ours ---- */
    { ANY_CAUSE, OC_RUNTIME_ANY, OURS | LIVE | NO_GROWTH, NULL, "oomcast explain {PID} --for 10m",
      "looks again and again for ten minutes: what grows, and what it is" },
    { ANY_CAUSE, OC_RUNTIME_ANY, OURS | STORE | GROWTH | PROCESS, NULL,
      "oomcast diff {SUBJECT} --from {SINCE}", "regions, families and figures then and now" },
    { C(SECTIONS) | C(FRAGMENTATION) | HEAPS, OC_RUNTIME_ANY, OURS | LIVE | WINDOWS, NULL,
      "oomcast regions {PID}",
      "its address space as !address -summary tells it: usages, MEM_RESERVE, the largest free "
      "block" },
    { C(GENERATED_MODULES) | C(MAPPINGS) | C(MAPPED_FILES) | C(THREADS) | C(DESCRIPTORS) |
          C(SHARED),
      OC_RUNTIME_ANY, OURS | LIVE, NULL, "oomcast modules {PID} --families",
      "families of modules, mappings, threads and descriptors now" },
    { ANY_CAUSE, OC_RUNTIME_ANY, OURS | LIVE | STOPS | LINUX, NULL,
      "oomcast regions {PID} --resident",
      "what each usage has in RAM; walks page tables, which stalls it for some ms a GiB" },
    { C(HEAP_CAP) | C(MAPPINGS) | C(FRAGMENTATION) | C(DESCRIPTORS), OC_RUNTIME_ANY, OURS | LIVE,
      NULL, "oomcast limits {PID}", "every limit that it can meet, and how near it is" },
    { ANY_CAUSE, OC_RUNTIME_ANY, OURS | STORE, NULL, "oomcast history {SUBJECT} {METRIC}",
      "the course of its memory" },
    { ANY_CAUSE, OC_RUNTIME_ANY, OURS | STORE | PROCESS, NULL, "oomcast lives {SUBJECT}",
      "whether earlier lives went the same way" },

    { ANY_CAUSE, OC_RUNTIME_ANY, OURS | STORE | AROUND, NULL, "oomcast top",
      "which of its subjects grow" },
    { ANY_CAUSE, OC_RUNTIME_ANY, OURS | STORE | AROUND, NULL, "oomcast limits {SUBJECT}",
      "its limits, and how near they are" },

    /* ---- .NET ---- */
    { LOADED, OC_RUNTIME_DOTNET, LIVE, NULL,
      "dotnet-counters monitor -p {PID} --counters System.Runtime",
      "assemblies loaded and heap sizes as the runtime counts them" },
    { LOADED, OC_RUNTIME_DOTNET, LIVE | STOPS, NULL,
      "dotnet-trace collect -p {PID} --duration 00:00:30 --providers "
      "Microsoft-Windows-DotNETRuntime:0x8:5",
      "which assemblies are loaded, with the stacks that load them; slows it a little" },
    { C(MANAGED_HEAP) | C(UNKNOWN), OC_RUNTIME_DOTNET, LIVE | STOPS, NULL,
      "dotnet-gcdump collect -p {PID}",
      "objects by type and who keeps them; a full collection stops it meanwhile" },
    { C(THREADS), OC_RUNTIME_DOTNET, LIVE | STOPS, NULL, "dotnet-stack report -p {PID}",
      "stacks of all managed threads; stops it for a moment" },
    { LOADED | C(MANAGED_HEAP), OC_RUNTIME_DOTNET, LIVE | STOPS | LINUX, NULL,
      "dotnet-dump collect -p {PID} --type Heap",
      "a dump for dumpheap and dumpdomain; stops it while it is written" },

    /* ---- JVM ---- */
    { C(MANAGED_HEAP), OC_RUNTIME_JVM, LIVE | STOPS, NULL, "jcmd {PID} GC.class_histogram",
      "objects by class; a full collection stops it. Twice, and compare" },
    { C(MANAGED_HEAP), OC_RUNTIME_JVM, LIVE | STOPS, NULL,
      "jcmd {PID} GC.heap_dump /var/tmp/heap-{PID}.hprof",
      "all objects and who keeps them; stops it while it is written, as large as the heap" },
    { LOADED, OC_RUNTIME_JVM, LIVE | STOPS, NULL, "jcmd {PID} VM.classloader_stats",
      "class loaders and how many classes each has; stops it for a moment" },
    { LOADED, OC_RUNTIME_JVM, LIVE | STOPS, NULL, "jcmd {PID} VM.metaspace",
      "metaspace by class loader type; stops it for a moment" },
    { C(JIT), OC_RUNTIME_JVM, LIVE, NULL, "jcmd {PID} Compiler.codecache",
      "what the code cache holds" },
    { C(THREADS), OC_RUNTIME_JVM, LIVE | STOPS, NULL, "jcmd {PID} Thread.print",
      "names and stacks of all threads; stops it for a moment" },
    { HEAPS | C(HEAP_CAP), OC_RUNTIME_JVM, LIVE, "NativeMemoryTracking",
      "jcmd {PID} VM.native_memory summary", "what the JVM itself has, by purpose" },
    { HEAPS | C(HEAP_CAP), OC_RUNTIME_JVM, LIVE, NULL, "jcmd {PID} VM.flags",
      "heap and metaspace caps in force; -XX:NativeMemoryTracking=summary at its next start tells "
      "native memory by purpose" },

    /* ---- Node ---- */
    { C(MANAGED_HEAP) | C(UNKNOWN), OC_RUNTIME_NODE, LIVE | STOPS | LINUX,
      "--heapsnapshot-signal=SIGUSR2", "kill -USR2 {PID}",
      "writes a heap snapshot to its folder; stops it for seconds, and needs as much memory "
      "again" },
    { C(MANAGED_HEAP) | C(UNKNOWN), OC_RUNTIME_NODE, LIVE | STOPS, NULL, "node inspect -p {PID}",
      "opens its inspector for a heap snapshot; or start it with --heapsnapshot-signal=SIGUSR2 "
      "(without it that signal ends it)" },

    /* ---- Python ---- */
    { C(MANAGED_HEAP) | HEAPS | C(THREADS), OC_RUNTIME_PYTHON, LIVE | STOPS, NULL,
      "py-spy dump --pid {PID}", "what each thread does just now; stops it for some ms" },
    { C(MANAGED_HEAP) | HEAPS, OC_RUNTIME_PYTHON, LIVE | STOPS | LINUX, NULL, "memray attach {PID}",
      "allocations by line of code from now on; slows it" },

    /* ---- Go ---- */
    { C(MANAGED_HEAP) | C(UNKNOWN), OC_RUNTIME_GO, LIVE, NULL,
      "go tool pprof http://localhost:6060/debug/pprof/heap",
      "allocations in use by call, where it serves net/http/pprof (here on port 6060)" },
    { C(THREADS), OC_RUNTIME_GO, LIVE, NULL,
      "curl -s 'http://localhost:6060/debug/pprof/goroutine?debug=1'",
      "what its goroutines wait for, where it serves net/http/pprof" },

    /* ---- native, Linux ---- */
    { HEAPS, OC_RUNTIME_ANY & ~OC_RUNTIME_GO, LIVE | STOPS | LINUX, NULL, "heaptrack --pid {PID}",
      "allocations that are not freed, by stack, from now on; stops it to attach and then slows "
      "it" },
    { HEAPS, OC_RUNTIME_ANY & ~OC_RUNTIME_GO, LIVE | STOPS | LINUX, NULL,
      "memleak-bpfcc -p {PID} -a 30",
      "the same by eBPF (bcc's memleak; needs root); slows each allocation a little" },
    { C(ARENAS) | C(NATIVE_HEAP), OC_RUNTIME_ANY & ~OC_RUNTIME_GO, LIVE | STOPS | LINUX, NULL,
      "gdb -p {PID} -batch -ex 'call (int)malloc_trim(0)'",
      "gives back what malloc keeps: what is left is in use. Stops it for a moment" },
    { C(MAPPINGS) | C(MAPPED_FILES) | C(UNKNOWN) | C(FRAGMENTATION), OC_RUNTIME_ANY,
      LIVE | STOPS | LINUX, NULL, "timeout 30 strace -f -k -e trace=mmap,mremap,munmap -p {PID}",
      "who maps and unmaps, with stacks; slows it much" },
    { C(THREADS), OC_RUNTIME_NATIVE | OC_RUNTIME_PYTHON, LIVE | STOPS | LINUX, NULL,
      "gdb -p {PID} -batch -ex 'thread apply all bt 6'",
      "what each thread waits for; stops it meanwhile" },
    { C(THREADS), OC_RUNTIME_ANY, LIVE | LINUX, NULL,
      "ps -L -o comm= -p {PID} | sort | uniq -c | sort -n", "threads by name" },
    { C(DESCRIPTORS), OC_RUNTIME_ANY, LIVE | LINUX, NULL, "lsof -p {PID}",
      "what each descriptor is open on" },
    { C(DESCRIPTORS), OC_RUNTIME_ANY, LIVE | LINUX, NULL, "ss -tanp | grep pid={PID},",
      "its connections: many in CLOSE-WAIT were closed by the peer alone" },
    { C(SHARED), OC_RUNTIME_ANY, LIVE | LINUX, NULL, "df -h -t tmpfs",
      "tmpfs file systems and what they hold" },
    { C(SHARED), OC_RUNTIME_ANY, LIVE | LINUX, NULL, "ipcs -m -p",
      "SysV segments, and who made them" },
    { C(SHARED), OC_RUNTIME_ANY, LIVE | LINUX, NULL, "lsof -p {PID} | grep -E 'memfd|/dev/shm'",
      "which of them it has open" },
    { C(GENERATED_MODULES), OC_RUNTIME_NATIVE | OC_RUNTIME_PYTHON, LIVE | STOPS | LINUX, NULL,
      "gdb -p {PID} -ex 'catch load' -ex 'commands' -ex 'bt 12' -ex 'c' -ex 'end' -ex 'c'",
      "who loads the next one; stops it at each load" },
    { C(MAPPINGS), OC_RUNTIME_ANY, LINUX, NULL, "sysctl -w vm.max_map_count=262144",
      "buys time; for good in /etc/sysctl.d" },
    { C(PROCESSES), OC_RUNTIME_ANY, LIVE | LINUX, NULL,
      "ps -o pid,ppid,etime,rss,stat,args --sort=-etime -C {NAME}",
      "its processes, the oldest first" },
    { C(CACHE), OC_RUNTIME_ANY, LINUX, NULL,
      "grep -E '^(anon|file|shmem|file_dirty|unevictable) ' /sys/fs/cgroup{CGROUP}/memory.stat",
      "what of the charge is cache" },

    /* ---- Windows ---- */
    { C(SECTIONS) | C(LOADER_HEAP) | C(GENERATED_MODULES), OC_RUNTIME_ANY, LIVE | WINDOWS | STOPS,
      NULL, "procdump -accepteula -ma {PID} leak.dmp",
      "a whole dump for WinDbg: !address -summary, .loadby sos clr, !eeheap -loader, !dumpdomain; "
      "stops it while it is written, as large as the process" },
    { C(DESCRIPTORS), OC_RUNTIME_ANY, LIVE | WINDOWS, NULL, "handle -s -p {PID}",
      "its handles by type (Sysinternals)" },
    { HEAPS, OC_RUNTIME_ANY, LIVE | WINDOWS | STOPS, NULL,
      "wpr -snapshotconfig heap -pid {PID} enable && wpr -start heapsnapshot -filemode",
      "records each allocation's stack; then 'wpr -singlesnapshot heap {PID}' twice and 'wpr -stop "
      "heap.etl'. Slows it" },
    { ANY_CAUSE, OC_RUNTIME_ANY, LIVE | WINDOWS | STOPS, NULL, "vmmap -p {PID} before.mmp",
      "VMMap's picture of its address space, to be compared later" },
    { HEAPS, OC_RUNTIME_ANY, LIVE | WINDOWS | STOPS, NULL, "umdh -p:{PID} -f:first.txt",
      "heap allocations by stack, where gflags +ust was on at its start; twice, and compare" },
    { ANY_CAUSE, OC_RUNTIME_ANY, LIVE | WINDOWS | STOPS, NULL,
      "procdump -accepteula -mp {PID} leak.dmp",
      "a dump for WinDbg (!address -summary, !heap -s, !eeheap -gc); stops it while it is "
      "written" },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* ---- words in place of {…} ---- */

static int is_plain(const char *text)
{
    for (; *text; text++) {
        const char c = *text;

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr("_-./:@+=,", c)))
            return 0;
    }
    return 1;
}

/* A word as a shell takes it. */
static void quote(const char *text, int is_windows, char *out, size_t out_bytes)
{
    out[0] = '\0';
    if (*text && is_plain(text)) {
        (void)oc_text_copy(out, out_bytes, text);
        return;
    }
    oc_explain_say(out, out_bytes, "%s", is_windows ? "\"" : "'");
    for (; *text; text++) {
        if (is_windows && *text == '"')
            continue;
        if (!is_windows && *text == '\'')
            oc_explain_say(out, out_bytes, "'\\''");
        else
            oc_explain_say(out, out_bytes, "%c", *text);
    }
    oc_explain_say(out, out_bytes, "%s", is_windows ? "\"" : "'");
}

static void put_time(int64_t unix_ms, char *out, size_t out_bytes)
{
    struct oc_civil civil;
    int offset;

    oc_civil_from_unix_ms(unix_ms, &civil);
    offset = abs(civil.offset_minutes);
    (void)snprintf(out, out_bytes, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", civil.year,
                   civil.month, civil.day, civil.hour, civil.minute, civil.second,
                   civil.offset_minutes < 0 ? '-' : '+', offset / 60, offset % 60);
}

static void word_for(const struct oc_explain_view *view, const char *key, size_t len, char *out,
                     size_t out_bytes)
{
    const struct oc_evidence *evidence = view->evidence;
    const struct oc_metric_row *metric = oc_metric_by_number(view->out->metric);

    out[0] = '\0';
    if (len == 3)
        (void)snprintf(out, out_bytes, "%" PRIu32, evidence->pid);
    else if (strncmp(key, "SUBJECT", len) == 0)
        quote(evidence->subject, view->is_windows, out, out_bytes);
    else if (strncmp(key, "METRIC", len) == 0)
        (void)oc_text_copy(out, out_bytes, metric ? metric->name : "private_bytes");
    else if (strncmp(key, "NAME", len) == 0)
        quote(evidence->name, view->is_windows, out, out_bytes);
    else if (strncmp(key, "CGROUP", len) == 0 && is_plain(evidence->cgroup))
        (void)oc_text_copy(out, out_bytes, evidence->cgroup);
    else if (strncmp(key, "SINCE", len) == 0)
        put_time(view->out->since_unix_ms, out, out_bytes);
}

static void fill_in(const struct oc_explain_view *view, const char *from, char *out,
                    size_t out_bytes)
{
    char word[WORD_BYTES];

    out[0] = '\0';
    while (*from) {
        const char *open = strchr(from, '{');
        const char *end = open ? strchr(open, '}') : NULL;

        if (!end) {
            oc_explain_say(out, out_bytes, "%s", from);
            return;
        }
        word_for(view, open + 1, (size_t)(end - open - 1), word, sizeof(word));
        oc_explain_say(out, out_bytes, "%.*s%s", (int)(open - from), from, word);
        from = end + 1;
    }
}

/* ---- which ---- */

static int is_around(const struct oc_evidence *evidence)
{
    return evidence->source_kind == OC_SOURCE_CGROUP || evidence->source_kind == OC_SOURCE_HOST;
}

static int fits_machine(const struct oc_explain_view *view, const struct row *row)
{
    const struct oc_evidence *evidence = view->evidence;

    if ((row->flags & LINUX) && view->is_windows)
        return 0;
    if ((row->flags & WINDOWS) && !view->is_windows)
        return 0;
    if ((row->flags & LIVE) && (!evidence->is_live || evidence->pid == 0))
        return 0;
    if ((row->flags & STORE) && !evidence->subject[0])
        return 0;
    if ((row->flags & PROCESS) && is_around(evidence))
        return 0;
    if ((row->flags & AROUND) && !is_around(evidence))
        return 0;
    if ((row->flags & GROWTH) && !view->is_growing)
        return 0;
    if ((row->flags & NO_GROWTH) && view->is_growing)
        return 0;
    if (row->needs && !strstr(evidence->cmdline, row->needs))
        return 0;
    return (row->runtimes & view->runtime) != 0;
}

static int fits(const struct oc_explain_view *view, const struct row *row, unsigned causes)
{
    if (!fits_machine(view, row))
        return 0;
    return row->causes == ANY_CAUSE || (row->causes & causes) != 0;
}

static void add_step(struct oc_explain_view *view, const struct row *row)
{
    struct oc_explanation *out = view->out;
    struct oc_step *step;

    if (out->step_count >= OC_EXPLAIN_STEPS)
        return;
    step = &out->steps[out->step_count++];
    fill_in(view, row->command, step->command, sizeof(step->command));
    fill_in(view, row->text, step->text, sizeof(step->text));
    step->is_ours = (row->flags & OURS) != 0;
    step->stops_it = (row->flags & STOPS) != 0;
}

/* Those of a cause that were not taken for a likelier one. */
static void add_others(struct oc_explain_view *view, unsigned cause, unsigned done, size_t most)
{
    for (size_t i = 0; i < ROWS && view->out->step_count < most; i++) {
        const int is_taken = rows[i].causes == ANY_CAUSE ? done != 0 : (rows[i].causes & done) != 0;

        if (!(rows[i].flags & OURS) && !is_taken && fits(view, &rows[i], cause))
            add_step(view, &rows[i]);
    }
}

static unsigned causes_of(const struct oc_explanation *out)
{
    unsigned causes = 0;

    for (size_t i = 0; i < out->cause_count && i < CAUSES_LOOKED_AT; i++)
        causes |= 1u << out->causes[i].kind;
    return causes;
}

/* One of ours, then what other tools tell of each cause, then the rest of ours. */
void oc_explain_steps(struct oc_explain_view *view)
{
    const struct oc_explanation *out = view->out;
    const unsigned causes = causes_of(out);
    const struct row *ours[OURS_MAX];
    size_t count = 0;
    unsigned done = 0;

    for (size_t i = 0; i < ROWS && count < OURS_MAX; i++) {
        if ((rows[i].flags & OURS) && fits(view, &rows[i], causes))
            ours[count++] = &rows[i];
    }
    if (count > 0)
        add_step(view, ours[0]);
    for (size_t i = 0; i < out->cause_count && i < CAUSES_LOOKED_AT; i++) {
        const unsigned cause = 1u << out->causes[i].kind;

        add_others(view, cause, done, OC_EXPLAIN_STEPS + 1 - (count > 0 ? count : 1));
        done |= cause;
    }
    for (size_t i = 1; i < count; i++)
        add_step(view, ours[i]);
}
