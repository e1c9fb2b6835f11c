/* How much the evidence is worth, why it is thin, and what would make it better. */
#include "explain/shape.h"

#include <math.h>

#define FEW_SAMPLES 10
#define SHORT_HOURS (10.0 / 60)
#define GOOD_HOURS 1.0
#define GOOD_WALKS 3
#define GOOD_SAMPLES 60
#define LAG_PART 0.05 /* of the time that is looked at */
#define NO_LEAK 0.6   /* of a cause's confidence */
#define THIN 0.8
#define PLAIN_PART 0.05 /* of what there was: growth that noise does not make */

/* "two walks; 38 samples": what is there, and what is wanted. */
static int is_thin(const struct oc_explain_view *view)
{
    const struct oc_evidence *evidence = view->evidence;
    struct oc_explanation *out = view->out;
    const struct oc_moved *moved = oc_explain_metric(view, out->metric);
    char span[32];
    int thin = 0;

    if (evidence->samples < FEW_SAMPLES) {
        OC_SAY(out->thin, "%u samples; ", (unsigned)evidence->samples);
        thin = 1;
    }
    if (evidence->walks < 2) {
        OC_SAY(out->thin, "%s: shares of regions and families need two; ",
               evidence->walks ? "one walk only" : "no walk yet");
        thin = 1;
    }
    if (view->hours < SHORT_HOURS) {
        const int is_plain =
            oc_moved_known(moved) && (double)out->grew_bytes >= PLAIN_PART * (double)moved->then;

        OC_SAY(out->thin, "only %s were looked at; ",
               oc_explain_span(view->hours * 3600, span, sizeof(span)));
        thin |= !is_plain;
    }
    return thin;
}

/* What came since the last walk is in the figures and in no region. */
static void say_lag(const struct oc_explain_view *view)
{
    const struct oc_evidence *evidence = view->evidence;
    const double lag_s = (double)(evidence->now_unix_ms - evidence->walk_now_unix_ms) / 1000;
    char span[32];

    if (evidence->walks >= 2 && lag_s > LAG_PART * view->hours * 3600)
        OC_SAY(view->out->thin, "the last walk is %s older than the figures; ",
               oc_explain_span(lag_s, span, sizeof(span)));
}

static int is_good(const struct oc_explain_view *view)
{
    const struct oc_evidence *evidence = view->evidence;

    return view->hours >= GOOD_HOURS && evidence->walks >= GOOD_WALKS &&
           evidence->samples >= GOOD_SAMPLES;
}

static void end_with_advice(const struct oc_explain_view *view)
{
    struct oc_explanation *out = view->out;

    if (out->thin[0] && view->evidence->is_live)
        OC_SAY(out->thin, "a longer look says more");
    else if (out->thin[0])
        OC_SAY(out->thin, "there is no more of it");
}

/* What the forecast takes for no leak is none until something else speaks for it. */
static void heed_forecast(struct oc_explain_view *view)
{
    const struct oc_evidence *evidence = view->evidence;
    const unsigned state = evidence->forecast.forecast.state;
    struct oc_explanation *out = view->out;

    if (!evidence->has_forecast || evidence->forecast.forecast.metric != out->metric ||
        (state != OC_FORECAST_FLAT && state != OC_FORECAST_CYCLIC && state != OC_FORECAST_WARMING))
        return;
    for (size_t i = 0; i < out->cause_count; i++) {
        struct oc_cause *cause = &out->causes[i];

        cause->confidence *= NO_LEAK;
        OC_SAY(cause->against, "%sthe forecast takes the growth for %s",
               cause->against[0] ? "; " : "", oc_forecast_state_name(state));
    }
}

static void heed_thinness(const struct oc_explain_view *view)
{
    struct oc_explanation *out = view->out;

    for (size_t i = 0; i < out->cause_count && out->evidence == OC_EVIDENCE_THIN; i++)
        out->causes[i].confidence *= THIN;
}

void oc_explain_confidence(struct oc_explain_view *view)
{
    const struct oc_evidence *evidence = view->evidence;
    struct oc_explanation *out = view->out;

    if (evidence->is_one_look) {
        out->evidence = OC_EVIDENCE_THIN;
        OC_SAY(out->thin,
               "one look: what is there, not what grows; two looks some minutes apart tell more");
        return;
    }
    if (!view->is_growing) {
        out->evidence = OC_EVIDENCE_NONE;
        (void)is_thin(view);
        end_with_advice(view);
        return;
    }
    out->evidence = OC_EVIDENCE_FAIR;
    if (is_thin(view))
        out->evidence = OC_EVIDENCE_THIN;
    else if (is_good(view))
        out->evidence = OC_EVIDENCE_GOOD;
    say_lag(view);
    heed_forecast(view);
    heed_thinness(view);
    end_with_advice(view);
}
