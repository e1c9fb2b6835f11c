/* Shapes of what comes in numbers: modules, mappings, threads, descriptors, processes. */
#include "explain/shape.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define FEW 8                 /* fewer may be ordinary loading */
#define MANY 50               /* that came: hardly anything but a leak */
#define UNUSUAL_HANDLES 10000 /* a worker of IIS has one or two thousand */
#define CROWD 200             /* of one family at one look: unusual */
#define NEAR_RATIO 0.5        /* of a limit in use */
#define FAR_RATIO 0.1
#define NO_FAMILY 0.6 /* of the confidence: things of all kinds came */

/* ---- what they share ---- */

double oc_shape_course(const struct oc_evidence_family *family, double confidence,
                       struct oc_cause *cause)
{
    switch (oc_explain_course_of(family)) {
    case OC_COURSE_EVEN:
        OC_SAY(cause->evidence, "; it grew from look to look");
        return fmin(0.95, confidence + 0.1);
    case OC_COURSE_STOPPED:
        OC_SAY(cause->against, "it has not grown at the last looks; ");
        return confidence * 0.5;
    default:
        return confidence;
    }
}

const struct oc_limit *oc_shape_limit(const struct oc_explain_view *view, unsigned kind)
{
    const struct oc_evidence *evidence = view->evidence;
    const struct oc_limit *least = NULL;

    for (size_t i = 0; i < evidence->limit_count; i++) {
        if (evidence->limits[i].kind == kind &&
            (!least || evidence->limits[i].value < least->value))
            least = &evidence->limits[i];
    }
    return least;
}

/* "1310 then, 4711 now (+600/h)". */
static void say_count(const struct oc_explain_view *view, const struct oc_moved *count,
                      struct oc_cause *cause)
{
    const double hours = view->walk_hours > 0 ? view->walk_hours : view->hours;
    char rate[40];

    if (!count->has_then) {
        OC_SAY(cause->evidence, "%" PRId64, count->now);
        return;
    }
    OC_SAY(cause->evidence, "%" PRId64 " then, %" PRId64 " now", count->then, count->now);
    if (hours > 0)
        OC_SAY(cause->evidence, " (+%s)",
               oc_explain_rate((double)(count->now - count->then) / hours, OC_UNIT_COUNT, rate,
                               sizeof(rate)));
}

static void say_family(const struct oc_explain_view *view, const char *things,
                       const struct oc_evidence_family *family, struct oc_cause *cause)
{
    char bytes[40];

    OC_SAY(cause->evidence, "%s '%.120s': ", things, family->name);
    say_count(view, &family->count, cause);
    if (oc_explain_change(&family->bytes) > 0)
        OC_SAY(cause->evidence, ", %s of address space",
               oc_explain_signed(oc_explain_change(&family->bytes), OC_UNIT_BYTES, bytes,
                                 sizeof(bytes)));
    if ((family->flags & OC_FAMILY_FOLDED) && family->example[0])
        OC_SAY(cause->evidence, "; one is '%.80s'", family->example);
}

/* A count that grew by many, and by a fifth of what there was. */
static int is_swarm(const struct oc_moved *count)
{
    const int64_t change = oc_explain_change(count);

    return change >= FEW && change >= count->then / 5;
}

static double by_number(int64_t change)
{
    return change >= 10 * (int64_t)MANY ? 0.85 : change >= MANY ? 0.75 : 0.55;
}

/* ---- generated modules ---- */

/* Who makes modules with such names. */
static const struct {
    const char *glob, *title, *mend;
} makers[] = {
    { "*XmlSerializ*", "assemblies that XmlSerializer generates, one for each instance",
      "Keep one XmlSerializer for each (type, root): with a root, overrides or extra types each "
      "new one compiles an "
      "assembly that is never unloaded (dotnet/runtime#95369)." },
    { "*GeneratedCode*", "assemblies that are generated at run time, as XmlSerializer's are",
      "Keep one XmlSerializer for each (type, root): with a root, overrides or extra types each "
      "new one compiles an "
      "assembly that is never unloaded (dotnet/runtime#95369)." },
    { "*DynamicProxy*", "proxy classes that are generated at run time",
      "Keep one proxy generator for the whole program: each new one has a cache of its own and "
      "makes its types anew." },
    { "*jna*", "native libraries that JNA unpacks again and again",
      "Load the native library once, in a class loader that stays; redeployed applications each "
      "unpack their own." },
};

static int is_generated(const struct oc_evidence_family *family)
{
    const int64_t distinct = family->distinct.has_now ? family->distinct.now : 0;

    if (family->kind != OC_FAMILY_MODULE)
        return 0;
    return (family->flags & (OC_FAMILY_FOLDED | OC_FAMILY_DELETED)) != 0 ||
           (distinct == 1 && family->count.has_now && family->count.now >= FEW);
}

/* The family of generated modules that grew most, or at one look the largest. */
static const struct oc_evidence_family *generated(const struct oc_explain_view *view)
{
    const struct oc_evidence *evidence = view->evidence;
    const struct oc_evidence_family *most = NULL;
    int64_t best = 0;

    for (size_t i = 0; i < evidence->family_count; i++) {
        const struct oc_evidence_family *family = &evidence->families[i];
        const int64_t size = evidence->is_one_look ? (family->count.has_now ? family->count.now : 0)
                                                   : oc_explain_change(&family->count);

        if (!is_generated(family) || size <= best)
            continue;
        if (!evidence->is_one_look && !is_swarm(&family->count))
            continue;
        best = size;
        most = family;
    }
    return best >= (evidence->is_one_look ? CROWD : FEW) ? most : NULL;
}

static void name_maker(const struct oc_evidence_family *family, struct oc_cause *cause)
{
    for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
        if (!oc_text_glob(makers[i].glob, family->name) &&
            !oc_text_glob(makers[i].glob, family->example))
            continue;
        (void)oc_text_copy(cause->title, sizeof(cause->title), makers[i].title);
        (void)oc_text_copy(cause->mend, sizeof(cause->mend), makers[i].mend);
        return;
    }
}

double oc_shape_modules(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const struct oc_evidence_family *family = generated(view);

    if (!family)
        return 0;
    say_family(view, "modules", family, cause);
    name_maker(family, cause);
    if (view->evidence->is_one_look) {
        OC_SAY(cause->against, "one look does not say whether they become more; ");
        return 0.5;
    }
    return oc_shape_course(family, by_number(oc_explain_change(&family->count)), cause);
}

/* ---- sections without a file ---- */

/* .NET Framework keeps an assembly that was loaded from bytes in one or two of them. */
double oc_shape_sections(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const struct oc_moved *counted = oc_explain_metric(view, OC_METRIC_SECTIONS);
    const struct oc_moved *count =
        counted->has_now ? counted : &view->evidence->usage_count[OC_USAGE_SECTION];
    const int64_t space = oc_shape_space(view, OC_USAGE_SECTION);
    char text[40];

    if (view->evidence->is_one_look || !oc_moved_known(count) || !is_swarm(count))
        return 0;
    OC_SAY(cause->evidence, "mapped regions without a file: ");
    say_count(view, count, cause);
    if (space > 0)
        OC_SAY(cause->evidence, ", %s",
               oc_explain_signed(space, OC_UNIT_BYTES, text, sizeof(text)));
    OC_SAY(cause->evidence, "; no list of modules shows them");
    OC_SAY(cause->against, "what is in them is not seen from outside; ");
    return by_number(oc_explain_change(count));
}

/* ---- mappings ---- */

static const struct oc_evidence_family *most_mapped(const struct oc_explain_view *view)
{
    const struct oc_evidence *evidence = view->evidence;
    const struct oc_evidence_family *most = NULL;

    for (size_t i = 0; i < evidence->family_count; i++) {
        const struct oc_evidence_family *family = &evidence->families[i];

        if ((family->kind == OC_FAMILY_MODULE || family->kind == OC_FAMILY_MAPPING) &&
            family->count.has_now && (!most || family->count.now > most->count.now))
            most = family;
    }
    return most;
}

static void say_most_mapped(const struct oc_explain_view *view, int64_t mappings,
                            struct oc_cause *cause)
{
    const struct oc_evidence_family *family = most_mapped(view);
    const struct oc_moved *of_private = &view->evidence->usage_count[OC_USAGE_PRIVATE];

    if (family && family->count.now > mappings / 4)
        OC_SAY(cause->evidence, "; %" PRId64 " are '%.120s'", family->count.now, family->name);
    else if (of_private->has_now && of_private->now > mappings / 4)
        OC_SAY(cause->evidence, "; %" PRId64 " are anonymous", of_private->now);
}

/* At this rate: counts grow more evenly than bytes. */
static void say_when_full(const struct oc_explain_view *view, const struct oc_limit *limit,
                          const struct oc_moved *count, struct oc_cause *cause)
{
    const double hours = view->walk_hours > 0 ? view->walk_hours : view->hours;
    const double left = (double)limit->value - (double)count->now;
    char span[32];

    if (hours > 0 && oc_explain_change(count) > 0 && left > 0)
        OC_SAY(cause->evidence, "; at this rate it is met in %s",
               oc_explain_span(left * hours * 3600 / (double)oc_explain_change(count), span,
                               sizeof(span)));
}

double oc_shape_mappings(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const struct oc_limit *limit = oc_shape_limit(view, OC_LIMIT_MAX_MAP_COUNT);
    const struct oc_moved *count = oc_explain_metric(view, OC_METRIC_MAPPINGS);
    const int64_t change = oc_explain_change(count);
    double ratio;

    if (!limit || limit->value == 0 || !count->has_now)
        return 0;
    ratio = (double)count->now / (double)limit->value;
    if (ratio < NEAR_RATIO && (ratio < FAR_RATIO || change < 500 || change < count->then / 4))
        return 0;
    OC_SAY(cause->evidence, "mappings: ");
    say_count(view, count, cause);
    OC_SAY(cause->evidence, ", %.0f %% of vm.max_map_count (%" PRIu64 ")", ratio * 100,
           limit->value);
    say_most_mapped(view, count->now, cause);
    say_when_full(view, limit, count, cause);
    if (change <= 0 && count->has_then) {
        OC_SAY(cause->against, "it does not grow now; ");
        return 0.4;
    }
    return ratio >= 0.8 ? 0.9 : ratio >= NEAR_RATIO ? 0.75 : 0.6;
}

/* ---- threads, descriptors ---- */

static double crowd(const struct oc_explain_view *view, const char *what, unsigned kind,
                    const struct oc_moved *count, int64_t unusual, struct oc_cause *cause)
{
    const struct oc_evidence_family *family = oc_explain_family(view, kind);

    if (view->evidence->is_one_look) {
        if (!count->has_now || count->now < unusual)
            return 0;
        OC_SAY(cause->evidence, "%s: %" PRId64, what, count->now);
        OC_SAY(cause->against, "one look does not say whether they become more; ");
        return 0.4;
    }
    if (!oc_moved_known(count) || !is_swarm(count))
        return 0;
    OC_SAY(cause->evidence, "%s: ", what);
    say_count(view, count, cause);
    if (!family || oc_explain_change(&family->count) < FEW) {
        OC_SAY(cause->against, "no one kind of them stands out; ");
        return by_number(oc_explain_change(count)) * NO_FAMILY;
    }
    OC_SAY(cause->evidence, "; most are '%.120s' (+%" PRId64 ")", family->name,
           oc_explain_change(&family->count));
    return oc_shape_course(family, by_number(oc_explain_change(count)), cause);
}

double oc_shape_threads(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const double fits = crowd(view, "threads", OC_FAMILY_THREAD,
                              oc_explain_metric(view, OC_METRIC_THREADS), 1000, cause);
    char percent[16];

    if (fits <= 0 || !view->is_growing || view->out->metric == OC_METRIC_THREADS)
        return fits;
    if (view->usage_part[OC_USAGE_STACK] < 0.2)
        OC_SAY(cause->against, "their stacks are only %s of the growth; ",
               oc_explain_percent(view->usage_part[OC_USAGE_STACK], percent, sizeof(percent)));
    return fits;
}

double oc_shape_descriptors(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const struct oc_moved *count = oc_explain_metric(view, OC_METRIC_FDS);
    const struct oc_limit *limit = oc_shape_limit(view, OC_LIMIT_RLIMIT_NOFILE);
    const double fits = crowd(view, view->is_windows ? "handles" : "descriptors", OC_FAMILY_FD,
                              count, view->is_windows ? UNUSUAL_HANDLES : 2000, cause);

    if (fits > 0 && limit && limit->value > 0)
        OC_SAY(cause->evidence, "; RLIMIT_NOFILE is %" PRIu64, limit->value);
    return fits;
}

/* ---- processes ---- */

double oc_shape_processes(const struct oc_explain_view *view, struct oc_cause *cause)
{
    const struct oc_evidence *evidence = view->evidence;
    size_t born = 0;
    double of_born = 0, of_all = 0;
    char percent[16];

    if (evidence->is_one_look || evidence->member_count < 2)
        return 0;
    for (size_t i = 0; i < evidence->member_count; i++) {
        const struct oc_evidence_member *member = &evidence->members[i];
        const int is_new = !member->private_bytes.has_then && member->private_bytes.has_now &&
                           member->begin_unix_ms > evidence->then_unix_ms;

        born += (size_t)is_new;
        of_born += is_new ? (double)member->private_bytes.now : 0;
        of_all += is_new ? (double)member->private_bytes.now
                         : fmax(0, (double)oc_explain_change(&member->private_bytes));
    }
    if (born < 3 || of_all <= 0 || of_born / of_all < 0.5)
        return 0;
    OC_SAY(cause->evidence,
           "%u of %u processes began since, and have %s of what came; there are %u in all",
           (unsigned)born, (unsigned)evidence->member_count,
           oc_explain_percent(of_born / of_all, percent, sizeof(percent)),
           (unsigned)(evidence->members_in_all > evidence->member_count ? evidence->members_in_all
                                                                        : evidence->member_count));
    return 0.5 + 0.4 * of_born / of_all;
}
