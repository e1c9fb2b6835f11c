/* The table of known causes: what each needs to be one, and what usually mends it. */
#include "explain/shape.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_CONFIDENCE 0.2
#define SURE 0.4 /* with such a one, "unknown" is not worth a line unless most is unexplained */
#define MENDS 4

struct mend {
    unsigned runtimes;
    const char *text;
};

#define SERIALIZER                                                                                 \
    "Types and assemblies that are made at run time stay for good: keep one XmlSerializer for "    \
    "each (type, root) "                                                                           \
    "(dotnet/runtime#95369), cache compiled expressions, Regex and script delegates, unload "      \
    "collectible contexts."

static const struct shape {
    uint8_t kind;
    oc_shape_fn *fits;
    const char *title;
    struct mend mends[MENDS]; /* the first that fits the runtime */
} shapes[] = {
    { OC_CAUSE_GENERATED_MODULES,
      oc_shape_modules,
      "a family of generated modules",
      { { OC_RUNTIME_DOTNET, (SERIALIZER) },
        { OC_RUNTIME_ANY, "Find what makes or unpacks them at each call and keep the result; what "
                          "is loaded again under a new name is "
                          "never the same to the loader, and is seldom unloaded." } } },
    { OC_CAUSE_SECTIONS,
      oc_shape_sections,
      "assemblies that are loaded from bytes (mapped memory without a file)",
      { { OC_RUNTIME_DOTNET | OC_RUNTIME_NATIVE, (SERIALIZER) },
        { OC_RUNTIME_ANY, "Unmap what is done: each takes 64 KiB of addresses at least, and no "
                          "list of modules shows it." } } },
    { OC_CAUSE_HEAP_CAP,
      oc_shape_heap_cap,
      "heap cap and native memory together are above the container's limit",
      { { OC_RUNTIME_JVM, "Lower -Xmx (or -XX:MaxRAMPercentage) until heap, metaspace, code cache, "
                          "stacks and direct buffers fit, or raise "
                          "the limit: the collector does not know of the rest." },
        { OC_RUNTIME_NODE, "Lower --max-old-space-size or raise the limit: buffers and native "
                           "memory are beside the heap." },
        { OC_RUNTIME_ANY, "Lower the heap's cap or raise the limit." } } },
    { OC_CAUSE_MAPPINGS,
      oc_shape_mappings,
      "mappings run into vm.max_map_count",
      { { OC_RUNTIME_ANY, "Find who maps and never unmaps. A higher vm.max_map_count buys time "
                          "(sysctl -w vm.max_map_count=262144); beyond it "
                          "mmap fails with ENOMEM however much memory is free." } } },
    { OC_CAUSE_THREADS,
      oc_shape_threads,
      "threads are started and never end",
      { { OC_RUNTIME_JVM, "Shut executors and timers down, or share one pool: each that is left "
                          "keeps its threads and what they reach." },
        { OC_RUNTIME_DOTNET, "Do not block pool threads (sync over async): the pool starts ever "
                             "more; dispose timers and dedicated threads." },
        { OC_RUNTIME_ANY, "Join or detach threads and bound the pool; each has a stack, 16 KiB in "
                          "the kernel and often a malloc arena." } } },
    { OC_CAUSE_DESCRIPTORS,
      oc_shape_descriptors,
      "descriptors are opened and never closed",
      { { OC_RUNTIME_ANY, "Close connections, files and streams on every path, also after errors "
                          "and time-outs; each keeps its buffers. At "
                          "RLIMIT_NOFILE open and accept fail (EMFILE)." } } },
    { OC_CAUSE_PROCESSES,
      oc_shape_processes,
      "ever more processes",
      { { OC_RUNTIME_ANY, "No single one grows: bound the number of workers, and see that those "
                          "that are done end." } } },
    { OC_CAUSE_CACHE,
      oc_shape_cache,
      "page cache: no leak",
      { { OC_RUNTIME_ANY, "Nothing to mend: the kernel gives it back before it kills. Alert on "
                          "cgroup_charge_bytes, which leaves it out, not on "
                          "memory.current." } } },
    { OC_CAUSE_SHARED,
      oc_shape_shared,
      "shared memory: memfd, tmpfs or SysV segments",
      { { OC_RUNTIME_ANY,
          "Close and unlink what is no longer used; a file on tmpfs (/dev/shm, /tmp) or a SysV "
          "segment outlives its process and "
          "counts against the cgroup until it is removed. Only swap makes room for it." } } },
    { OC_CAUSE_LOADER_HEAP,
      oc_shape_loader_heap,
      "types and code are made at run time and stay (loader heap)",
      { { OC_RUNTIME_DOTNET, (SERIALIZER) },
        { OC_RUNTIME_JVM, "Find the class loader that is kept (a thread, ThreadLocal, driver or "
                          "cache of an undeployed application) or the proxies, "
                          "scripts and lambdas that are made anew; -XX:MaxMetaspaceSize turns it "
                          "into an error that can be seen." },
        { OC_RUNTIME_ANY, "Keep what is compiled or defined at run time and use it again." } } },
    { OC_CAUSE_JIT,
      oc_shape_jit,
      "code is compiled at run time, ever more of it",
      { { OC_RUNTIME_DOTNET, "Cache compiled Regex, expressions and dynamic methods: each compile "
                             "is code that stays." },
        { OC_RUNTIME_JVM, "Bound it with -XX:ReservedCodeCacheSize; look for scripts and "
                          "expressions that are compiled at each call." },
        { OC_RUNTIME_ANY, "Cache what is compiled." } } },
    { OC_CAUSE_ARENAS,
      oc_shape_arenas,
      "malloc arenas, one for nearly each thread",
      { { OC_RUNTIME_ANY, "Start it with MALLOC_ARENA_MAX=2 (mallopt(3)) or with jemalloc: memory "
                          "that one arena freed is not there for the others." } } },
    { OC_CAUSE_NATIVE_HEAP,
      oc_shape_native_heap,
      "the native heap grows (malloc)",
      { { OC_RUNTIME_NATIVE, "Find the call that allocates and never frees: heaptrack and memleak "
                             "show it by its stack." },
        { OC_RUNTIME_JVM, "Not the Java heap: JNI, zip streams left open, direct buffers. Native "
                          "memory tracking tells the JVM's own share." },
        { OC_RUNTIME_ANY,
          "Not the managed heap: native libraries, and handles that are never disposed." } } },
    { OC_CAUSE_MANAGED_HEAP,
      oc_shape_managed_heap,
      "the managed heap grows",
      { { OC_RUNTIME_ANY, "Two heap histograms some minutes apart name the type that becomes more; "
                          "then look who keeps it: caches without a bound, "
                          "static collections, event handlers." } } },
    { OC_CAUSE_FRAGMENTATION,
      oc_shape_fragmentation,
      "address space is set aside or in pieces, and not used",
      { { OC_RUNTIME_ANY, "Reserve less at a time and give it back whole; raise RLIMIT_AS, or "
                          "build for 64 bits, where holes do not matter." } } },
    { OC_CAUSE_MAPPED_FILES,
      oc_shape_mapped_files,
      "files are mapped and never unmapped",
      { { OC_RUNTIME_JVM,
          "Mapped buffers go with the collector: unmap them, or read instead of mapping." },
        { OC_RUNTIME_ANY, "Unmap or close what is done; one mapping of a whole file is cheaper "
                          "than many of its parts." } } },
    { OC_CAUSE_UNKNOWN,
      oc_shape_unknown,
      "what grows is not attributed",
      { { OC_RUNTIME_NATIVE, "A tool that sees each allocation tells: see below." },
        { OC_RUNTIME_ANY, "Memory beside what the runtime names: native libraries, direct buffers. "
                          "A tool that sees each allocation tells." } } },
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

const char *oc_shape_mend(unsigned kind, unsigned runtime)
{
    for (size_t i = 0; i < SHAPES; i++) {
        if (shapes[i].kind != kind)
            continue;
        for (size_t j = 0; j < MENDS && shapes[i].mends[j].text; j++) {
            if (shapes[i].mends[j].runtimes & runtime)
                return shapes[i].mends[j].text;
        }
    }
    return "";
}

/* Parts of a sentence end in "; " until another one comes. */
static void end_sentence(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == ';'))
        text[--len] = '\0';
}

static int likelier_first(const void *a, const void *b)
{
    const struct oc_cause *x = a, *y = b;

    if (x->confidence < y->confidence || x->confidence > y->confidence)
        return x->confidence < y->confidence ? 1 : -1;
    return (int)x->kind - (int)y->kind;
}

static void judge(const struct oc_explain_view *view, const struct shape *shape,
                  struct oc_cause *out_cause)
{
    memset(out_cause, 0, sizeof(*out_cause));
    out_cause->kind = shape->kind;
    out_cause->confidence = shape->fits(view, out_cause);
    if (out_cause->confidence < LEAST_CONFIDENCE)
        return;
    oc_shape_in_own_words(view, out_cause);
    if (!out_cause->title[0])
        (void)oc_text_copy(out_cause->title, sizeof(out_cause->title), shape->title);
    if (!out_cause->mend[0])
        (void)oc_text_copy(out_cause->mend, sizeof(out_cause->mend),
                           oc_shape_mend(shape->kind, view->runtime));
    end_sentence(out_cause->evidence);
    end_sentence(out_cause->against);
}

/* That something is unexplained is said beside a cause only where it is the larger part. */
static int is_idle(const struct oc_explain_view *view, const struct oc_cause *unknown,
                   const struct oc_cause *likeliest)
{
    return unknown->kind == OC_CAUSE_UNKNOWN && likeliest->kind != OC_CAUSE_UNKNOWN &&
           likeliest->confidence >= SURE && view->unexplained_part < 0.5;
}

void oc_explain_causes(struct oc_explain_view *view)
{
    struct oc_explanation *out = view->out;
    struct oc_cause fitting[SHAPES];
    size_t count = 0;

    for (size_t i = 0; i < SHAPES; i++) {
        judge(view, &shapes[i], &fitting[count]);
        if (fitting[count].confidence >= LEAST_CONFIDENCE)
            count++;
    }
    if (count == 0)
        return;
    qsort(fitting, count, sizeof(fitting[0]), likelier_first);
    for (size_t i = 0; i < count && out->cause_count < OC_EXPLAIN_CAUSES; i++) {
        if (!is_idle(view, &fitting[i], &fitting[0]))
            out->causes[out->cause_count++] = fitting[i];
    }
}
