/* Causes in the words of Windows, where the table's are of Unix: handles, NT heaps, VirtualAlloc. */
#include "explain/shape.h"

#include "base/text.h"

static const struct {
    uint8_t kind;
    unsigned runtimes;
    const char *title, *mend; /* NULL: the table's */
} words[] = {
    { OC_CAUSE_DESCRIPTORS, OC_RUNTIME_ANY, "handles are opened and never closed",
      "Close handles, connections and files on every path, also after errors and time-outs: "
      "Dispose() what is disposable. Each keeps memory of the kernel's pools." },
    { OC_CAUSE_NATIVE_HEAP, OC_RUNTIME_NATIVE, "the NT heaps grow (HeapAlloc, malloc, new)",
      "Find the call that allocates and never frees: a heap snapshot of WPR or UMDH shows it by "
      "its stack." },
    { OC_CAUSE_NATIVE_HEAP, OC_RUNTIME_ANY, "the NT heaps grow (HeapAlloc, malloc, new)", NULL },
    { OC_CAUSE_THREADS, OC_RUNTIME_NATIVE, NULL,
      "End threads that are done and bound the pool: each has a stack, a TEB and, of 32 bits, 1 "
      "MiB of addresses or what the program's header says." },
    { OC_CAUSE_FRAGMENTATION, OC_RUNTIME_ANY, NULL,
      "Reserve less at a time and give it back whole. Of 32 bits: fewer and larger modules, large "
      "addresses (editbin /LARGEADDRESSAWARE), or 64 bits (enable32BitAppOnWin64 off), where holes "
      "do not matter." },
    { OC_CAUSE_MAPPED_FILES, OC_RUNTIME_ANY, NULL,
      "Unmap or close what is done; one view of a whole file is cheaper than many of its parts." },
    { OC_CAUSE_SHARED, OC_RUNTIME_ANY, "sections that the page file backs (CreateFileMapping)",
      "Unmap views and close the sections' handles: each counts against the commit limit until "
      "both are gone." },
};

void oc_shape_in_own_words(const struct oc_explain_view *view, struct oc_cause *cause)
{
    for (size_t i = 0; view->is_windows && i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i].kind != cause->kind || !(words[i].runtimes & view->runtime))
            continue;
        if (words[i].title && !cause->title[0])
            (void)oc_text_copy(cause->title, sizeof(cause->title), words[i].title);
        if (words[i].mend && !cause->mend[0])
            (void)oc_text_copy(cause->mend, sizeof(cause->mend), words[i].mend);
        return;
    }
}
