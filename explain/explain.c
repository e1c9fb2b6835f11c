#include "explain/view.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

static int64_t since_of(const struct oc_evidence *evidence)
{
    const struct oc_forecast *forecast = &evidence->forecast.forecast;

    if (evidence->is_one_look)
        return 0;
    if (evidence->has_forecast && forecast->since_ms > evidence->then_unix_ms &&
        forecast->since_ms < evidence->now_unix_ms)
        return forecast->since_ms;
    return evidence->then_unix_ms;
}

void oc_explain(const struct oc_evidence *evidence, struct oc_explanation *out_explanation)
{
    struct oc_explain_view view;

    memset(out_explanation, 0, sizeof(*out_explanation));
    (void)oc_text_copy(out_explanation->subject, sizeof(out_explanation->subject),
                       oc_explain_name(evidence));
    out_explanation->pid = evidence->pid;
    out_explanation->since_unix_ms = since_of(evidence);
    out_explanation->until_unix_ms = evidence->now_unix_ms;
    oc_explain_view_init(&view, evidence, out_explanation);
    oc_explain_measure(&view);
    oc_explain_shares(&view);
    oc_explain_causes(&view);
    oc_explain_confidence(&view);
    oc_explain_steps(&view);
}
