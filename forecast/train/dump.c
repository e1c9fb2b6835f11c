/*
 * forecast-features OUT < LIST: what the forecaster sees of traces, for train.py. A line of LIST is
 * "ID FILE LIMIT SCALE STRIDE"; times are multiplied by SCALE and each STRIDE-th sample is taken (1
 * and 1 where they are left out), so that a leak of hours and thousands of samples teaches one of
 * seconds and a hundred. Two files a trace: OUT/ID.windows, a row for each window that is worth scoring, and
 * OUT/ID.outlooks, a row for each time that the time to the limit is made out. Each begins with a line of JSON
 * that names the columns; rows of float32 follow, NAN where there is nothing.
 */
#include "forecast/traits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 4096
#define COLUMNS 16
#define TIME_STEP 4096.0 /* t = t_hi * 4096 + t_lo: a float alone is too coarse */

struct trace {
    int limit_column, second_column;
    double row[COLUMNS];
    double scale; /* of times */
    unsigned stride;
    oc_series *series, *second;
    FILE *windows, *outlooks;
};

static void put_header(FILE *out, const char *const *first, unsigned firsts, unsigned features)
{
    char name[24];

    fputs("{\"columns\":[", out);
    for (unsigned i = 0; i < firsts; i++)
        fprintf(out, "\"%s\",", first[i]);
    for (unsigned i = 0; i < features; i++) {
        oc_trait_name(i, name);
        fprintf(out, "\"%s\"%s", name, i + 1 < features ? "," : "]}\n");
    }
}

static void put_row(FILE *out, double t, float third, const float *row, unsigned features)
{
    float head[3] = { (float)floor(t / TIME_STEP), (float)fmod(t, TIME_STEP), third };

    fwrite(head, sizeof(float), 3, out);
    fwrite(row, sizeof(float), features, out);
}

/* Levels whose newest block was just finished. */
static void put_windows(struct trace *trace, double t)
{
    const struct oc_series *series = trace->series;
    float row[OC_F_COUNT];

    for (int j = 0; j < LARGE_LEVELS; j++) {
        const struct oc_view *view = oc_series_view(series, j);
        struct oc_reach reach;

        if ((series->blocks_count >> j) << j != series->blocks_count)
            break;
        if (!view)
            continue;
        reach = oc_reach_of(series, view, series->limits[0]);
        if (!oc_is_candidate(series, (unsigned)j, &reach))
            continue;
        oc_traits_window(series, (unsigned)j, series->limits[0], row);
        put_row(trace->windows, t, (float)j, row, OC_F_WINDOW_END);
    }
}

/* Where the times were made out just now. */
static void put_outlook(struct trace *trace, double t)
{
    const struct oc_series *series = trace->series;
    struct oc_outlook outlook;
    float row[OC_F_COUNT];

    if (!series->large->slots[0].has_outlook ||
        series->large->slots[0].outlook_clock != series->clock ||
        !oc_outlook_of(series, series->limits[0], &outlook))
        return;
    oc_traits_outlook(series, 0, &outlook, row);
    put_row(trace->outlooks, t, outlook.eta, row, OC_F_COUNT);
}

static void take(struct trace *trace, double *inc)
{
    const double *row = trace->row;
    uint64_t blocks = 0;

    if (row[2] != *inc) {
        *inc = row[2];
        oc_series_restart(trace->series, OC_LIFE_PLANNED);
        oc_series_restart(trace->second, OC_LIFE_PLANNED);
    }
    if (trace->limit_column >= 0)
        oc_series_limit(trace->series, 0, row[trace->limit_column]);
    if (trace->second_column >= 0)
        oc_series_feed(trace->second, (int64_t)(row[0] * 1000.0 + 0.5), row[trace->second_column]);
    blocks = trace->series->blocks_count;
    oc_series_feed(trace->series, (int64_t)(row[0] * 1000.0 + 0.5), row[1]);
    if (trace->series->blocks_count != blocks && trace->series->large) {
        put_windows(trace, row[0]);
        put_outlook(trace, row[0]);
    }
}

/* The column of a companion: modules before others. */
static void find_columns(struct trace *trace, char *line)
{
    int column = 0;

    trace->limit_column = trace->second_column = -1;
    for (char *name = strtok(line, ",\n"); name && column < COLUMNS;
         name = strtok(NULL, ",\n"), column++) {
        if (column < 3)
            continue;
        if (strcmp(name, "limit") == 0)
            trace->limit_column = column;
        else if (trace->second_column < 0 || strcmp(name, "modules") == 0)
            trace->second_column = column;
    }
}

static void read_rows(struct trace *trace, FILE *in)
{
    char line[LINE_BYTES];
    double inc = 0.0;
    int is_first = 1;
    unsigned number = 0;

    while (fgets(line, sizeof(line), in)) {
        char *at = line;

        if (number++ % trace->stride)
            continue;

        for (int i = 0; i < COLUMNS && *at && *at != '\n'; i++) {
            trace->row[i] = strtod(at, &at);
            at += *at == ',';
        }
        trace->row[0] *= trace->scale;
        if (is_first)
            inc = trace->row[2];
        is_first = 0;
        take(trace, &inc);
    }
}

static int run(const char *csv, double limit, double scale, unsigned stride, const char *out,
               const char *id)
{
    static const char *const window_head[] = { "t_hi", "t_lo", "level" };
    static const char *const outlook_head[] = { "t_hi", "t_lo", "eta" };
    oc_forecast_pool *pool = oc_forecast_pool_new(1u << 20, NULL);
    struct oc_series_options options = { 0 };
    struct trace trace = { .scale = scale, .stride = stride ? stride : 1 };
    char line[LINE_BYTES];
    FILE *in = fopen(csv, "r");

    (void)snprintf(line, sizeof(line), "%s/%s.windows", out, id);
    trace.windows = fopen(line, "wb");
    (void)snprintf(line, sizeof(line), "%s/%s.outlooks", out, id);
    trace.outlooks = fopen(line, "wb");
    if (!in || !trace.windows || !trace.outlooks || !fgets(line, sizeof(line), in)) {
        perror(csv);
        return 1;
    }
    find_columns(&trace, line);
    put_header(trace.windows, window_head, 3, OC_F_WINDOW_END);
    put_header(trace.outlooks, outlook_head, 3, OC_F_COUNT);
    (void)oc_series_new(pool, &options, &trace.series);
    (void)oc_series_new(pool, &options, &trace.second);
    oc_series_limit(trace.series, 0, limit);
    if (trace.second_column >= 0)
        oc_series_companion(trace.series, trace.second);
    read_rows(&trace, in);
    (void)fclose(in);
    (void)fclose(trace.windows);
    (void)fclose(trace.outlooks);
    oc_forecast_pool_free(pool);
    return 0;
}

/* The next word of the line at hand; usual where there is none. */
static double next_number(double usual)
{
    const char *word = strtok(NULL, " \n");

    return word ? strtod(word, NULL) : usual;
}

int main(int argc, char **argv)
{
    char line[LINE_BYTES];

    if (argc != 2) {
        fputs("usage: forecast-features OUT < list of 'ID FILE LIMIT [SCALE [STRIDE]]'\n", stderr);
        return 2;
    }
    while (fgets(line, sizeof(line), stdin)) {
        char *id = strtok(line, " \n"), *file = strtok(NULL, " \n");
        double limit = next_number(0.0), scale = next_number(1.0), stride = next_number(1.0);

        if (id && file && run(file, limit, scale, (unsigned)stride, argv[1], id))
            return 1;
    }
    return 0;
}
