/* Shapes in which a limit plays a part: a heap cap above the container, an address space in pieces. */
#include "explain/shape.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GIVEN_PERCENT_MAX 100
#define SLOTS_LEAST (INT64_C(8) << 20)
#define FALL_RATIO 0.75 /* of the largest hole, then to now */

/* ---- the heap cap ---- */

/* The value behind a word of the command line, up to a blank; 0: it is not there. */
static int word_behind(const char *cmdline, const char *word, char *out, size_t out_bytes)
{
    const char *at = cmdline, *found = NULL;
    size_t len = 0;

    while ((at = strstr(at, word)) != NULL) { /* the last one counts */
        if (at == cmdline || at[-1] == ' ')
            found = at + strlen(word);
        at += strlen(word);
    }
    if (!found)
        return 0;
    while (found[len] && found[len] != ' ' && len + 1 < out_bytes) {
        out[len] = found[len];
        len++;
    }
    out[len] = '\0';
    return len > 0;
}

static uint64_t size_behind(const char *cmdline, const char *word, uint64_t unit)
{
    uint64_t value = 0;
    char text[32];

    if (!word_behind(cmdline, word, text, sizeof(text)))
        return 0;
    if (oc_text_u64(text, &value) == OC_OK)
        return value > UINT64_MAX / unit ? 0 : value * unit;
    for (char *at = text; *at; at++) {
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    }
    return oc_text_size_bytes(text, &value) == OC_OK ? value : 0;
}

/* The most that the heap may take, as the command line says; 0: not known. */
static uint64_t heap_cap(const struct oc_explain_view *view, uint64_t limit)
{
    const char *cmdline = view->evidence->cmdline;
    uint64_t cap = 0, percent;
    char text[32];

    if (view->runtime == OC_RUNTIME_NODE)
        return size_behind(cmdline, "--max-old-space-size=", UINT64_C(1) << 20);
    if (view->runtime != OC_RUNTIME_JVM)
        return 0;
    cap = size_behind(cmdline, "-Xmx", 1);
    if (!cap)
        cap = size_behind(cmdline, "-XX:MaxHeapSize=", 1);
    if (cap || !word_behind(cmdline, "-XX:MaxRAMPercentage=", text, sizeof(text)))
        return cap;
    text[strcspn(text, ".")] = '\0';
    if (oc_text_u64(text, &percent) || percent > GIVEN_PERCENT_MAX)
        return 0;
    return limit / 100 * percent;
}

/* The least hard limit of the cgroups that it is in. */
static const struct oc_limit *container_limit(const struct oc_explain_view *view)
{
    return oc_shape_limit(view, OC_LIMIT_CGROUP_MAX);
}

static int64_t now_of(const struct oc_moved *moved) { return moved->has_now ? moved->now : 0; }

/* Heap now: in RAM where that is known, else what it may touch. */
static int64_t heap_now(const struct oc_explain_view *view)
{
    const struct oc_evidence *evidence = view->evidence;

    if (evidence->usage_resident[OC_USAGE_MANAGED_HEAP].has_now)
        return evidence->usage_resident[OC_USAGE_MANAGED_HEAP].now;
    return now_of(&evidence->usage_commit[OC_USAGE_MANAGED_HEAP]);
}

double oc_shape_heap_cap(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const struct oc_limit *limit = container_limit(view);
    const int64_t own = now_of(oc_explain_metric(view, OC_METRIC_PRIVATE));
    const int64_t native = own - heap_now(view);
    uint64_t cap, rest;
    char cap_text[40], native_text[40], limit_text[40], heap_text[40];

    if (!limit || limit->value == 0 || limit->value > INT64_MAX)
        return 0;
    cap = heap_cap(view, limit->value);
    rest = native > 0 ? (uint64_t)native : 0;
    if (cap == 0 || cap > INT64_MAX || cap + rest <= limit->value)
        return 0;
    OC_SAY(cause->evidence,
           "the heap may grow to %s; beside it the process has %s; memory.max is %s",
           oc_explain_amount((int64_t)cap, OC_UNIT_BYTES, cap_text, sizeof(cap_text)),
           oc_explain_amount((int64_t)rest, OC_UNIT_BYTES, native_text, sizeof(native_text)),
           oc_explain_amount((int64_t)limit->value, OC_UNIT_BYTES, limit_text, sizeof(limit_text)));
    OC_SAY(cause->against, "the heap has %s now; ",
           oc_explain_amount(heap_now(view), OC_UNIT_BYTES, heap_text, sizeof(heap_text)));
    return cap > limit->value ? 0.9 : 0.75;
}

/* ---- fragmentation ---- */

/* A ceiling of address space: without one no hole is ever too small. */
static const struct oc_limit *space_limit(const struct oc_explain_view *view)
{
    static const unsigned kinds[] = { OC_LIMIT_LARGEST_FREE, OC_LIMIT_ADDRESS_SPACE,
                                      OC_LIMIT_RLIMIT_AS };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct oc_limit *limit = oc_shape_limit(view, kinds[i]);

        if (limit)
            return limit;
    }
    return NULL;
}

static double in_pieces(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const struct oc_moved *hole = &view->evidence->largest_free_bytes;
    const int64_t fall = -oc_explain_change(hole);
    const int64_t more = oc_explain_metric_change(view, OC_METRIC_VIRTUAL);
    char then[40], now[40], grown[40];

    if (!oc_moved_known(hole) || fall <= 0 || (double)hole->now > FALL_RATIO * (double)hole->then)
        return 0;
    if (more > 0 && (double)fall < 1.5 * (double)more)
        return 0; /* it is used up, not in pieces */
    OC_SAY(cause->evidence, "the largest hole fell from %s to %s, while %s of address space came",
           oc_explain_amount(hole->then, OC_UNIT_BYTES, then, sizeof(then)),
           oc_explain_amount(hole->now, OC_UNIT_BYTES, now, sizeof(now)),
           oc_explain_amount(more > 0 ? more : 0, OC_UNIT_BYTES, grown, sizeof(grown)));
    return 0.75;
}

/* Windows: allocations begin at multiples of 64 KiB; what lies between the end of one and the next is lost. */
static double wastes_slots(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const struct oc_moved *lost = oc_explain_metric(view, OC_METRIC_UNUSABLE);
    const int64_t more = oc_explain_change(lost);
    char now[40], change[40], hole[40];

    if (!oc_moved_known(lost) || more < SLOTS_LEAST || more < lost->then / 4)
        return 0;
    OC_SAY(cause->evidence, "%s are free and cannot be allocated (Unusable, %s)",
           oc_explain_amount(lost->now, OC_UNIT_BYTES, now, sizeof(now)),
           oc_explain_signed(more, OC_UNIT_BYTES, change, sizeof(change)));
    if (view->evidence->largest_free_bytes.has_now)
        OC_SAY(cause->evidence, "; the largest free block is %s",
               oc_explain_amount(view->evidence->largest_free_bytes.now, OC_UNIT_BYTES, hole,
                                 sizeof(hole)));
    OC_SAY(cause->mend, "Small mappings each take 64 KiB of addresses: load fewer and larger ones, "
                        "and do not load the same again; as 64 bits it does not matter "
                        "(enable32BitAppOnWin64 off).");
    return 0.7;
}

static double set_aside(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const int64_t reserved = oc_explain_metric_change(view, OC_METRIC_RESERVED);
    const int64_t own = oc_explain_metric_change(view, OC_METRIC_PRIVATE);
    char text[40], own_text[40];

    if (reserved < (INT64_C(64) << 20) || reserved < 4 * (own > 0 ? own : 0))
        return 0;
    OC_SAY(cause->evidence,
           "%s of address space were set aside and are not used; private memory %s",
           oc_explain_signed(reserved, OC_UNIT_BYTES, text, sizeof(text)),
           oc_explain_signed(own, OC_UNIT_BYTES, own_text, sizeof(own_text)));
    return 0.6;
}

double oc_shape_fragmentation(const struct oc_explain_view *view, struct oc_cause *cause)
{
    double fits;

    if (view->evidence->is_one_look || !space_limit(view))
        return 0;
    fits = in_pieces(view, cause);
    if (fits <= 0)
        fits = wastes_slots(view, cause);
    return fits > 0 ? fits : set_aside(view, cause);
}
