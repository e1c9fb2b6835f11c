/*
 * The rules that look at growth over a window: the lowest value of each eighth of it is kept, so that what comes and goes within
 * one is not growth. Kept only where a rule asks for it; a bounded number in all.
 */
#include "alert/engine.h"

#include "base/alloc.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PARTS 8 /* of the window */
#define POINTS (PARTS + 2)
#define COURSES_MAX 8192u
#define FAMILIES_MAX 32 /* of a source and rule: the largest */
#define WINDOW_DEFAULT_MS INT64_C(3600000)
#define LEAST_PARTS 6 /* of the window must have been seen */
#define HOUR_MS 3.6e6

struct oc_course {
    struct oc_course *next; /* of the subject's */
    uint64_t key;           /* of the rule and what it looks at */
    uint32_t source;
    uint32_t count; /* points, the oldest first */
    struct {
        int64_t begin_ms; /* of the part */
        int64_t t_ms;     /* of its lowest value */
        double low;
    } points[POINTS];
};

/* ---- memory ---- */

static struct oc_course *find(const struct oc_engine_subject *subject, uint32_t source,
                              uint64_t key)
{
    struct oc_course *course = subject->courses;

    while (course && (course->source != source || course->key != key))
        course = course->next;
    return course;
}

/* NULL: too many, or no memory. */
static struct oc_course *want(struct oc_alerts *alerts, struct oc_engine_subject *subject,
                              uint32_t source, uint64_t key)
{
    struct oc_course *course = find(subject, source, key);

    if (course)
        return course;
    if (alerts->course_count < COURSES_MAX)
        course = oc_calloc(1, sizeof(*course));
    if (!course) {
        alerts->refused++;
        return NULL;
    }
    course->source = source;
    course->key = key;
    course->next = subject->courses;
    subject->courses = course;
    alerts->course_count++;
    return course;
}

void oc_course_drop(struct oc_alerts *alerts, struct oc_engine_subject *subject, uint32_t source)
{
    struct oc_course **at = &subject->courses;

    while (*at) {
        struct oc_course *course = *at;

        if (source != OC_COURSE_ALL && course->source != source) {
            at = &course->next;
            continue;
        }
        *at = course->next;
        oc_free(course);
        alerts->course_count--;
    }
}

void oc_course_clock(struct oc_engine_subject *subject, int64_t delta_ms)
{
    for (struct oc_course *course = subject->courses; course; course = course->next) {
        for (uint32_t i = 0; i < course->count; i++) {
            course->points[i].begin_ms += delta_ms;
            course->points[i].t_ms += delta_ms;
        }
    }
}

/* ---- growth ---- */

static int64_t window_of(const struct oc_rule *rule)
{
    return rule->window_ms > 0 ? rule->window_ms : WINDOW_DEFAULT_MS;
}

static void drop_oldest(struct oc_course *course)
{
    course->count--;
    memmove(&course->points[0], &course->points[1], course->count * sizeof(course->points[0]));
}

static void feed(struct oc_course *course, int64_t window_ms, int64_t now_ms, double value)
{
    int64_t part_ms = window_ms / PARTS > 0 ? window_ms / PARTS : 1;
    uint32_t last = course->count ? course->count - 1 : 0;

    if (course->count > 0 && now_ms - course->points[last].begin_ms < part_ms) {
        if (value < course->points[last].low) {
            course->points[last].low = value;
            course->points[last].t_ms = now_ms;
        }
        return;
    }
    if (course->count == POINTS)
        drop_oldest(course);
    course->points[course->count].begin_ms = course->points[course->count].t_ms = now_ms;
    course->points[course->count].low = value;
    course->count++;
    while (course->count > 1 && now_ms - course->points[0].begin_ms > window_ms + part_ms)
        drop_oldest(course);
}

/* By the hour; NAN: not seen for long enough. The part at hand is left out: its lowest value is to come. */
static double growth_per_h(const struct oc_course *course, int64_t window_ms, int64_t now_ms)
{
    uint32_t last = course->count > 2 ? course->count - 2 : 0;
    double span_ms = (double)(course->points[last].t_ms - course->points[0].t_ms);

    if (span_ms <= 0 || now_ms - course->points[0].begin_ms < window_ms / PARTS * LEAST_PARTS)
        return (double)NAN;
    return (course->points[last].low - course->points[0].low) * HOUR_MS / span_ms;
}

static enum oc_hold hold_of(const struct oc_rule *rule, double growth)
{
    double clear = rule->clear == rule->clear ? rule->clear : rule->enter;

    if (growth >= rule->enter)
        return OC_HOLD_YES;
    return growth > clear ? OC_HOLD_BETWEEN : OC_HOLD_OVER;
}

static double grown(struct oc_alerts *alerts, struct oc_engine_subject *subject, uint32_t source,
                    const struct oc_rule *rule, const char *of, double value, int64_t now_ms)
{
    uint64_t key = oc_alert_fingerprint(rule->name, of, rule->severity, "");
    struct oc_course *course = want(alerts, subject, source, key);

    if (!course)
        return (double)NAN;
    feed(course, window_of(rule), now_ms, value);
    return growth_per_h(course, window_of(rule), now_ms);
}

void oc_rule_judge_growth(struct oc_alerts *alerts, struct oc_engine_subject *subject,
                          const struct oc_rule *rule, double value, int64_t now_ms,
                          struct oc_verdict *verdict)
{
    double growth = grown(alerts, subject, verdict->source, rule, "", value, now_ms);

    verdict->bound = rule->enter;
    verdict->value = growth;
    verdict->hold = (uint8_t)(growth == growth ? hold_of(rule, growth) : OC_HOLD_BETWEEN);
}

/* ---- families ---- */

static int is_meant(const struct oc_rule *rule, const char *family)
{
    for (size_t i = 0; i < rule->families.count; i++) {
        if (oc_text_glob(rule->families.items[i], family))
            return 1;
    }
    return rule->families.count == 0;
}

/* The family that grew most; its growth NAN: nothing is known yet. */
static const struct oc_family *most_grown(struct oc_alerts *alerts,
                                          struct oc_engine_subject *subject, uint32_t source,
                                          const struct oc_rule *rule,
                                          const struct oc_census *census, int64_t now_ms,
                                          double *out_growth)
{
    const struct oc_family *most = NULL;
    unsigned looked_at = 0;

    *out_growth = (double)NAN;
    for (size_t i = 0; i < census->family_count && looked_at < FAMILIES_MAX; i++) {
        const struct oc_family *family = &census->families[i];
        const char *name = oc_census_text(census, family->name);
        double growth = 0;

        if (!is_meant(rule, name))
            continue;
        looked_at++;
        growth = grown(alerts, subject, source, rule, name, family->count, now_ms);
        if (growth == growth && !(growth <= *out_growth)) {
            *out_growth = growth;
            most = family;
        }
    }
    return most;
}

static void judge_families(struct oc_alerts *alerts, uint32_t handle, unsigned slot,
                           const struct oc_census *census, struct oc_verdict *verdict,
                           int64_t now_ms)
{
    struct oc_engine_subject *subject = &alerts->subjects[handle];
    const struct oc_rule *rule = oc_engine_rule(alerts, subject, slot);
    char text[OC_ALERT_WHY_BYTES] = "";
    const struct oc_family *family =
        most_grown(alerts, subject, verdict->source, rule, census, now_ms, &verdict->value);

    if (!family)
        return;
    verdict->bound = rule->enter;
    verdict->hold = (uint8_t)hold_of(rule, verdict->value);
    (void)snprintf(text, sizeof(text), "%s family %.120s grows by %.3g an hour, %u now",
                   oc_family_kind_name(family->kind), oc_census_text(census, family->name),
                   verdict->value, family->count);
    verdict->text = verdict->hold == OC_HOLD_OVER ? "no family grows so fast any more" : text;
    oc_state_judge(alerts, handle, slot, verdict, now_ms);
}

void oc_alerts_families(oc_alerts *alerts, uint32_t handle, uint32_t source, uint32_t pid,
                        const struct oc_census *census, int64_t now_ms)
{
    const struct oc_engine_subject *subject = oc_engine_subject(alerts, handle);

    if (!subject || !(subject->set->kinds & OC_KIND_BIT(OC_RULE_FAMILY)))
        return;
    for (unsigned i = 0; i < subject->set->count; i++) {
        struct oc_verdict verdict = oc_verdict_empty(source, pid);

        if (oc_engine_rule(alerts, subject, i)->kind == OC_RULE_FAMILY)
            judge_families(alerts, handle, i, census, &verdict, now_ms);
    }
}
