#include "explain/explain.h"

static const char *const names[OC_CAUSES] = {
    [OC_CAUSE_GENERATED_MODULES] = "generated-modules",
    [OC_CAUSE_MAPPINGS] = "mappings",
    [OC_CAUSE_ARENAS] = "arenas",
    [OC_CAUSE_THREADS] = "threads",
    [OC_CAUSE_DESCRIPTORS] = "descriptors",
    [OC_CAUSE_CACHE] = "page-cache",
    [OC_CAUSE_SHARED] = "shared-memory",
    [OC_CAUSE_FRAGMENTATION] = "fragmentation",
    [OC_CAUSE_HEAP_CAP] = "heap-cap",
    [OC_CAUSE_NATIVE_HEAP] = "native-heap",
    [OC_CAUSE_MANAGED_HEAP] = "managed-heap",
    [OC_CAUSE_LOADER_HEAP] = "loader-heap",
    [OC_CAUSE_JIT] = "jit",
    [OC_CAUSE_MAPPED_FILES] = "mapped-files",
    [OC_CAUSE_PROCESSES] = "processes",
    [OC_CAUSE_SECTIONS] = "sections",
    [OC_CAUSE_UNKNOWN] = "unknown",
};

const char *oc_cause_name(unsigned kind)
{
    return kind > 0 && kind < OC_CAUSES ? names[kind] : "?";
}
