#include "forecast/rules.h"
#include "forecast/number.h"

#include "base/alloc.h"

#include <math.h>

#define BUCKETS 512 /* that share the window: what falls out of it does so in steps of 1/512 */
#define LEAST_SAMPLES 3.0
#define MS_PER_S 1000.0

/* Sums of samples, about the rule's origin. */
struct sums {
    double n, x, y, xx, xy;
};

struct bucket {
    double begin_s, end_s; /* of its first and last sample, from the origin */
    struct sums sums;
};

/* Its buckets are a ring: `count` of them from `first` on, the last one still being filled. */
struct line {
    double window_s, ahead_s;
    double origin_s; /* its time */
    double origin;   /* its value */
    int begun;
    unsigned first, count;
    unsigned since_shift; /* buckets opened since the origin moved */
    struct sums all;
    struct bucket buckets[BUCKETS];
};

struct oc_simple_rule {
    double share;      /* of a threshold */
    struct line *line; /* NULL: a threshold */
};

/* ---- making ---- */

oc_rule *oc_rule_threshold(double share)
{
    oc_rule *rule = oc_calloc(1, sizeof(*rule));

    if (rule)
        rule->share = share;
    return rule;
}

oc_rule *oc_rule_line(double window_s, double ahead_s)
{
    oc_rule *rule = oc_calloc(1, sizeof(*rule));
    struct line *line = oc_calloc(1, sizeof(*line));

    if (!rule || !line) {
        oc_free(rule);
        oc_free(line);
        return NULL;
    }
    line->window_s = window_s;
    line->ahead_s = ahead_s;
    rule->line = line;
    return rule;
}

void oc_rule_free(oc_rule *rule)
{
    if (!rule)
        return;
    oc_free(rule->line);
    oc_free(rule);
}

void oc_rule_restart(oc_rule *rule)
{
    struct line *line = rule->line;

    if (!line)
        return;
    line->begun = 0;
    line->first = line->count = line->since_shift = 0;
    line->all = (struct sums){ 0 };
}

/* ---- sums ---- */

static void add_sums(struct sums *to, const struct sums *more, double sign)
{
    to->n += sign * more->n;
    to->x += sign * more->x;
    to->y += sign * more->y;
    to->xx += sign * more->xx;
    to->xy += sign * more->xy;
}

/* The same samples about an origin that is dx later and dy higher. */
static void shift_sums(struct sums *sums, double dx, double dy)
{
    sums->xy += -dy * sums->x - dx * sums->y + sums->n * dx * dy;
    sums->xx += -2 * dx * sums->x + sums->n * dx * dx;
    sums->x -= sums->n * dx;
    sums->y -= sums->n * dy;
}

static struct bucket *bucket_at(struct line *line, unsigned index)
{
    return &line->buckets[(line->first + index) % BUCKETS];
}

/*
 * Moves the origin to the oldest bucket and adds everything up anew: in a long life times would
 * grow beyond their digits, and what is added and taken away leaves its rounding behind.
 */
static void shift_origin(struct line *line)
{
    double dx = bucket_at(line, 0)->begin_s;
    double dy = bucket_at(line, 0)->sums.y / bucket_at(line, 0)->sums.n;

    line->all = (struct sums){ 0 };
    for (unsigned i = 0; i < line->count; i++) {
        struct bucket *bucket = bucket_at(line, i);

        bucket->begin_s -= dx;
        bucket->end_s -= dx;
        shift_sums(&bucket->sums, dx, dy);
        add_sums(&line->all, &bucket->sums, 1);
    }
    line->origin_s += dx;
    line->origin += dy;
    line->since_shift = 0;
}

/* ---- samples ---- */

static void drop_oldest(struct line *line)
{
    add_sums(&line->all, &bucket_at(line, 0)->sums, -1);
    line->first = (line->first + 1) % BUCKETS;
    line->count--;
}

/* The bucket that a sample at x goes to. */
static struct bucket *find_bucket(struct line *line, double x)
{
    struct bucket *last = line->count > 0 ? bucket_at(line, line->count - 1) : NULL;

    if (last && x - last->begin_s < line->window_s / (BUCKETS - 2)) {
        last->end_s = x;
        return last;
    }
    if (line->count == BUCKETS)
        drop_oldest(line);
    last = bucket_at(line, line->count++);
    *last = (struct bucket){ .begin_s = x, .end_s = x };
    line->since_shift++;
    return last;
}

static void add_sample(struct line *line, double t_s, double value)
{
    struct sums one = { .n = 1 };
    double x;

    if (!line->begun) {
        line->begun = 1;
        line->origin_s = t_s;
        line->origin = value;
    }
    x = t_s - line->origin_s;
    one.x = x;
    one.y = value - line->origin;
    one.xx = x * x;
    one.xy = x * one.y;
    add_sums(&find_bucket(line, x)->sums, &one, 1);
    add_sums(&line->all, &one, 1);
    while (line->count > 1 && bucket_at(line, 0)->end_s < x - line->window_s)
        drop_oldest(line);
    if (line->since_shift >= BUCKETS)
        shift_origin(line);
}

/* The fitted line at x, and its slope. 0, or -1: no line goes through these. */
static int fit(const struct line *line, double x, double *out_level, double *out_slope)
{
    const struct sums *all = &line->all;
    double spread;

    if (all->n < LEAST_SAMPLES)
        return -1;
    spread = all->xx - all->x * all->x / all->n;
    if (!(spread > 0))
        return -1;
    *out_slope = (all->xy - all->x * all->y / all->n) / spread;
    *out_level = line->origin + all->y / all->n + *out_slope * (x - all->x / all->n);
    return oc_is_finite(*out_slope) && oc_is_finite(*out_level) ? 0 : -1;
}

static int feed_line(struct line *line, double t_s, double value, double limit, double *out_eta_s)
{
    double level = 0, slope = 0;

    add_sample(line, t_s, value);
    if (fit(line, t_s - line->origin_s, &level, &slope))
        return 0;
    if (slope > 0)
        *out_eta_s = fmax(0, limit - level) / slope;
    return level + slope * line->ahead_s >= limit;
}

int oc_rule_feed(oc_rule *rule, int64_t t_ms, double value, double limit, double *out_eta_s)
{
    *out_eta_s = (double)INFINITY;
    if (!oc_is_finite(value))
        return 0;
    if (!rule->line)
        return value >= rule->share * limit;
    return feed_line(rule->line, (double)t_ms / MS_PER_S, value, limit, out_eta_s);
}
