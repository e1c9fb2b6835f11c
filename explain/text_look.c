/* What one look says: figures, sizes, families, limits. */
#include "explain/parts.h"
#include "explain/shape.h"

#include <inttypes.h>

#define USAGES_SHOWN 8
#define FAMILIES_SHOWN 6
#define LIMITS_SHOWN 4
#define FAMILY_WORTH 8

static int64_t usage_size(const struct oc_evidence *evidence, unsigned usage)
{
    if (evidence->usage_resident[usage].has_now)
        return evidence->usage_resident[usage].now;
    return evidence->usage_commit[usage].has_now ? evidence->usage_commit[usage].now : 0;
}

void oc_explain_put_figures(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    static const unsigned metrics[] = { OC_METRIC_PRIVATE, OC_METRIC_MEMFD,    OC_METRIC_RSS,
                                        OC_METRIC_SWAP,    OC_METRIC_VIRTUAL,  OC_METRIC_THREADS,
                                        OC_METRIC_FDS,     OC_METRIC_MAPPINGS, OC_METRIC_MODULES };
    char text[512] = "", value[40];

    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        const struct oc_metric_row *row = oc_metric_by_number(metrics[i]);
        const struct oc_moved *moved = &evidence->metrics[metrics[i]];

        if (moved->has_now && (moved->now > 0 || i < 1))
            OC_SAY(text, "%s%s %s", text[0] ? ", " : "", row->name,
                   oc_explain_amount(moved->now, row->unit, value, sizeof(value)));
    }
    if (text[0])
        oc_explain_page_put(page, "", text, 0);
}

static void put_sizes(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    int shown[OC_USAGE_COUNT] = { 0 };
    int has_resident = 0;
    char line[600] = "", value[40];

    for (unsigned n = 0; n < USAGES_SHOWN; n++) {
        unsigned best = OC_USAGE_COUNT;

        for (unsigned usage = OC_USAGE_IMAGE; usage < OC_USAGE_COUNT; usage++) {
            if (!shown[usage] && usage_size(evidence, usage) > 0 &&
                (best == OC_USAGE_COUNT ||
                 usage_size(evidence, usage) > usage_size(evidence, best)))
                best = usage;
        }
        if (best == OC_USAGE_COUNT)
            break;
        shown[best] = 1;
        has_resident |= evidence->usage_resident[best].has_now;
        OC_SAY(line, "%s%s %s", line[0] ? ", " : "", oc_usage_name(best),
               oc_explain_amount(usage_size(evidence, best), OC_UNIT_BYTES, value, sizeof(value)));
    }
    if (line[0])
        oc_explain_page_put(page, has_resident ? "in RAM: " : "may be touched: ", line, 0);
}

static void put_families(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    char line[1000] = "";
    size_t shown = 0;

    for (size_t i = 0; i < evidence->family_count && shown < FAMILIES_SHOWN; i++) {
        const struct oc_evidence_family *family = &evidence->families[i];

        if (!family->count.has_now || family->count.now < FAMILY_WORTH)
            continue;
        OC_SAY(line, "%s%" PRId64 " %s '%.80s'", shown ? ", " : "", family->count.now,
               oc_family_kind_name(family->kind), family->name);
        shown++;
    }
    if (shown)
        oc_explain_page_put(page, "families: ", line, 0);
}

static void put_limits(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    char words[360];
    size_t shown = 0;

    for (size_t i = 0; i < evidence->limit_count && shown < LIMITS_SHOWN; i++) {
        const struct oc_limit *limit = &evidence->limits[i];

        if (!limit->has_use)
            continue;
        oc_explain_limit(limit, words, sizeof(words));
        oc_explain_page_putf(page, shown ? "        " : "limits: ", 2, "%.0f %% of %s",
                             oc_limit_ratio(limit) * 100, words);
        shown++;
    }
}

void oc_explain_put_look(struct oc_explain_page *page, const struct oc_evidence *evidence)
{
    oc_explain_put_figures(page, evidence);
    put_sizes(page, evidence);
    put_families(page, evidence);
    put_limits(page, evidence);
}
