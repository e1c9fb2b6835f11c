/* Axes, the chart in the terminal, the SVG. */
#include "suites.h"

#include "base/text.h"
#include "cli/show/axis.h"
#include "cli/show/plot.h"

#include <math.h>
#include <string.h>

#define T0 INT64_C(1790000000000)
#define POINTS 60

static struct oc_buf out;
static struct oc_point points[POINTS];
static struct oc_plot plot;

static void begin(void)
{
    oc_buf_init(&out, 1u << 20);
    memset(&plot, 0, sizeof(plot));
    for (int i = 0; i < POINTS; i++) {
        int64_t value = (int64_t)i << 20;

        points[i] = (struct oc_point){ .t_unix_ms = T0 + i * 1000,
                                       .count = 3,
                                       .min = value,
                                       .max = value + 1000,
                                       .first = value,
                                       .last = value };
        points[i].mean = (double)value + 500;
    }
    plot.title = "proc:<a&b>\033\n\"";
    plot.unit = OC_UNIT_BYTES;
    plot.series[0] = (struct oc_plot_series){ "private_bytes", points, POINTS };
    plot.series_count = 1;
    plot.t0_unix_ms = T0;
    plot.t1_unix_ms = T0 + POINTS * 1000;
}

static void end(void) { oc_buf_clear(&out); }

static const struct {
    double low, high;
    enum oc_unit unit;
} spans[] = {
    { 0, 0, OC_UNIT_BYTES },         { 0, 1, OC_UNIT_COUNT },
    { 5, 5, OC_UNIT_COUNT },         { 1e9, 1e9, OC_UNIT_BYTES },
    { 1e9, 1.001e9, OC_UNIT_BYTES }, { 0, 9e18, OC_UNIT_BYTES },
    { -50, 70, OC_UNIT_COUNT },      { 0, 3, OC_UNIT_MS },
    { 100, 1000000, OC_UNIT_US },    { 1e12, 1.5e12, OC_UNIT_BYTES },
};

START_TEST(axis_holds_all_values_and_has_few_ticks)
{
    struct oc_axis axis;
    char label[48];

    oc_axis_values(&axis, spans[_i].low, spans[_i].high, spans[_i].unit, 6);
    ck_assert(axis.low <= spans[_i].low && axis.high >= spans[_i].high);
    ck_assert(axis.high > axis.low);
    ck_assert_uint_ge(axis.tick_count, 2);
    ck_assert_uint_le(axis.tick_count, 8);
    for (size_t i = 0; i < axis.tick_count; i++)
        ck_assert_uint_gt(
            strlen(oc_axis_value_label(&axis, axis.ticks[i], spans[_i].unit, label, sizeof(label))),
            0);
}
END_TEST

START_TEST(labels_of_neighbours_differ)
{
    struct oc_axis axis;
    char label[48], before[48];

    oc_axis_values(&axis, 1.10e6, 1.30e6, OC_UNIT_BYTES, 7);
    (void)oc_axis_value_label(&axis, axis.ticks[0], OC_UNIT_BYTES, before, sizeof(before));
    for (size_t i = 1; i < axis.tick_count; i++) {
        (void)oc_axis_value_label(&axis, axis.ticks[i], OC_UNIT_BYTES, label, sizeof(label));
        ck_assert_str_ne(label, before);
        memcpy(before, label, sizeof(before));
    }
}
END_TEST

START_TEST(days_tick_at_local_midnight)
{
    struct oc_axis axis;
    char label[48];

    oc_axis_time(&axis, T0, T0 + INT64_C(5) * 86400000, 0, 6);
    ck_assert_uint_ge(axis.tick_count, 4);
    ck_assert_int_eq(((int64_t)axis.ticks[0] + 2 * 3600000) % 86400000, 0);
    (void)oc_axis_time_label(&axis, axis.ticks[0], 0, label, sizeof(label));
    ck_assert_str_eq(label, "09-22");
}
END_TEST

static void check_lines(int columns, int rows)
{
    int lines = 0;

    for (char *line = out.data; line && *line; lines++) {
        char *newline = strchr(line, '\n');

        ck_assert_ptr_nonnull(newline);
        *newline = '\0';
        ck_assert_uint_le(oc_text_columns(line), (size_t)columns);
        line = newline + 1;
    }
    ck_assert_int_le(lines, rows);
}

START_TEST(chart_stays_within_its_frame)
{
    static const int sizes[][2] = { { 80, 20 }, { 40, 8 }, { 20, 6 }, { 200, 60 } };
    struct oc_chart_style style = { sizes[_i / 2][0], sizes[_i / 2][1], _i % 2, 0 };

    ck_assert_int_eq(oc_chart(&plot, &style, &out), 0);
    ck_assert_ptr_null(strchr(out.data, '\033'));
    if (!style.utf8)
        for (size_t i = 0; i < out.len_bytes; i++)
            ck_assert_int_ge(out.data[i], 0);
    check_lines(style.columns > 24 ? style.columns : 24, style.rows > 6 ? style.rows : 6);
}
END_TEST

START_TEST(chart_of_nothing_is_nothing)
{
    struct oc_chart_style style = { 80, 20, 1, 0 };

    plot.series[0].count = 0;
    ck_assert_int_eq(oc_chart(&plot, &style, &out), 0);
    ck_assert_uint_eq(out.len_bytes, 0);
    plot.series_count = 0;
    ck_assert_int_eq(oc_chart(&plot, &style, &out), 0);
}
END_TEST

START_TEST(chart_rises_with_its_values)
{
    struct oc_chart_style style = { 60, 12, 0, 0 };
    const char *first_line, *star;

    plot.title = NULL;
    ck_assert_int_eq(oc_chart(&plot, &style, &out), 0);
    first_line = out.data;
    star = strchr(first_line, '*');
    ck_assert_ptr_nonnull(star);
    ck_assert_int_gt(star - first_line, 40); /* the highest is at the right */
}
END_TEST

/* Enough of XML to tell a well-formed file of ours: tags nest, no stray '<' or '&', no control characters. */
static void check_xml(const char *text)
{
    char open[32][16];
    int depth = 0;

    for (const char *at = text; *at; at++) {
        const char *end_of_tag;
        size_t len;

        ck_assert((unsigned char)*at >= 0x20 || *at == '\n');
        if (*at == '&')
            ck_assert(strncmp(at, "&lt;", 4) == 0 || strncmp(at, "&gt;", 4) == 0 ||
                      strncmp(at, "&amp;", 5) == 0);
        if (*at != '<')
            continue;
        end_of_tag = strchr(at, '>');
        ck_assert_ptr_nonnull(end_of_tag);
        len = strcspn(at + 1, " />");
        if (at[1] == '/') {
            ck_assert_int_gt(depth, 0);
            depth--;
            len = strcspn(at + 2, ">");
            ck_assert(strncmp(open[depth], at + 2, len) == 0 && open[depth][len] == '\0');
        } else if (end_of_tag[-1] != '/') {
            ck_assert_int_lt(depth, 32);
            ck_assert_uint_lt(len, 16);
            memcpy(open[depth], at + 1, len);
            open[depth++][len] = '\0';
        }
        at = end_of_tag;
    }
    ck_assert_int_eq(depth, 0);
}

/* ---- what lies ahead ---- */

static struct oc_plot_at floor_points[2];
static struct oc_plot_ahead ahead;

/* A limit twice as high as what there is, met in one to two times the past. */
static void look_ahead(double limit, int64_t p90_unix_ms)
{
    int64_t span = POINTS * 1000;

    floor_points[0] = (struct oc_plot_at){ T0, 0 };
    floor_points[1] = (struct oc_plot_at){ T0 + span, 1 << 20 };
    ahead = (struct oc_plot_ahead){ .has_limit = 1,
                                    .has_fan = 1,
                                    .limit = limit,
                                    .limit_name = "memory.max <1 GiB>",
                                    .from_unix_ms = T0 + span,
                                    .from_value = (double)((int64_t)POINTS << 20),
                                    .p10_unix_ms = T0 + 2 * span,
                                    .p50_unix_ms = T0 + 5 * span / 2,
                                    .p90_unix_ms = p90_unix_ms,
                                    .floor = floor_points,
                                    .floor_count = 2 };
    plot.t1_unix_ms = T0 + 4 * span;
    plot.title = NULL;
    plot.ahead = &ahead;
}

static size_t count_of(const char *text, char c)
{
    size_t count = 0;

    for (; *text; text++)
        count += *text == c;
    return count;
}

START_TEST(chart_reaches_to_the_limit)
{
    struct oc_chart_style style = { 80, 20, 0, 0 };
    double low = 0, high = 0;
    const char *limit, *history;

    look_ahead(120.0 * (1 << 20), T0 + 3 * POINTS * 1000);
    ck_assert_int_eq(oc_plot_bounds(&plot, &low, &high), 1);
    ck_assert_double_eq(high, 120.0 * (1 << 20));
    ck_assert_int_eq(oc_chart(&plot, &style, &out), 0);
    limit = strstr(out.data, "==========");
    history = strchr(out.data, '*');
    ck_assert_ptr_nonnull(limit);
    ck_assert_ptr_nonnull(history);
    ck_assert(limit < history); /* it is above */
    ck_assert_uint_gt(count_of(out.data, '.'), 30);
    ck_assert_uint_gt(count_of(out.data, '_'), 5);
    ck_assert_uint_gt(count_of(out.data, '+'), 5);
}
END_TEST

START_TEST(an_open_end_leaves_the_fan_open)
{
    struct oc_chart_style style = { 80, 20, 0, 0 };
    size_t closed;

    look_ahead(120.0 * (1 << 20), T0 + 3 * POINTS * 1000);
    ck_assert_int_eq(oc_chart(&plot, &style, &out), 0);
    closed = count_of(out.data, '.');
    oc_buf_reset(&out);
    ahead.p90_unix_ms = INT64_MAX;
    ck_assert_int_eq(oc_chart(&plot, &style, &out), 0);
    ck_assert_uint_gt(count_of(out.data, '.'), closed * 3 / 2);
}
END_TEST

START_TEST(what_falls_meets_a_floor)
{
    struct oc_chart_style style = { 80, 20, 0, 0 };
    const char *limit, *history;

    look_ahead(-10.0 * (1 << 20), T0 + 3 * POINTS * 1000);
    ck_assert_int_eq(oc_chart(&plot, &style, &out), 0);
    limit = strstr(out.data, "==========");
    history = strchr(out.data, '*');
    ck_assert_ptr_nonnull(limit);
    ck_assert(limit > history);
    ck_assert_uint_gt(count_of(out.data, '.'), 30);
}
END_TEST

START_TEST(layers_have_colours_of_their_own)
{
    struct oc_chart_style style = { 80, 20, 1, 1 };

    look_ahead(120.0 * (1 << 20), T0 + 3 * POINTS * 1000);
    ck_assert_int_eq(oc_chart(&plot, &style, &out), 0);
    ck_assert_ptr_nonnull(strstr(out.data, "\033[31m─"));
    ck_assert_ptr_nonnull(strstr(out.data, "\033[33m"));
    ck_assert_ptr_nonnull(strstr(out.data, "┊"));
}
END_TEST

START_TEST(nothing_ahead_draws_history_alone)
{
    struct oc_chart_style style = { 80, 20, 0, 0 };

    plot.title = NULL;
    ck_assert_int_eq(oc_chart(&plot, &style, &out), 0);
    ck_assert_uint_eq(count_of(out.data, '.') + count_of(out.data, '='), 0);
}
END_TEST

START_TEST(svg_of_what_lies_ahead_is_well_formed)
{
    look_ahead(120.0 * (1 << 20), _i ? INT64_MAX : T0 + 3 * POINTS * 1000);
    plot.title = "a";
    ck_assert_int_eq(oc_svg(&plot, &out), 0);
    ck_assert_ptr_nonnull(strstr(out.data, "class=\"fan\""));
    ck_assert_ptr_nonnull(strstr(out.data, "memory.max &lt;1 GiB&gt;"));
    ck_assert_ptr_null(strstr(out.data, "nan"));
    ck_assert_ptr_null(strstr(out.data, "inf"));
}
END_TEST

START_TEST(svg_is_well_formed_whatever_the_names)
{
    plot.subtitle = "<script>\xef\xbf\xbe\x80";
    plot.series[1] = plot.series[0];
    plot.series[1].name = "]]>&";
    plot.series_count = 2;
    ck_assert_int_eq(oc_svg(&plot, &out), 0);
    check_xml(out.data);
    ck_assert(oc_text_is_utf8(out.data, out.len_bytes, NULL));
    ck_assert_ptr_null(strstr(out.data, "<script"));
    ck_assert_ptr_null(strstr(out.data, "nan"));
    ck_assert_ptr_nonnull(strstr(out.data, "<polygon")); /* the band from min to max */
    ck_assert_ptr_nonnull(strstr(out.data, "32 MiB"));
}
END_TEST

START_TEST(svg_of_nothing_says_so)
{
    plot.series_count = 0;
    ck_assert_int_eq(oc_svg(&plot, &out), 0);
    check_xml(out.data);
    ck_assert_ptr_nonnull(strstr(out.data, "no samples"));
}
END_TEST

START_TEST(svg_breaks_the_line_at_gaps)
{
    int lines = 0;

    for (int i = 30; i < POINTS; i++)
        points[i].t_unix_ms += 600000;
    plot.gap_ms = 5000;
    ck_assert_int_eq(oc_svg(&plot, &out), 0);
    for (const char *at = out.data; (at = strstr(at, "<polyline")) != NULL; at++)
        lines++;
    ck_assert_int_eq(lines, 2);
}
END_TEST

Suite *plot_suite(void)
{
    Suite *suite = suite_create("plot");
    TCase *tcase = tcase_create("plot");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, axis_holds_all_values_and_has_few_ticks, 0,
                        sizeof(spans) / sizeof(spans[0]));
    tcase_add_test(tcase, labels_of_neighbours_differ);
    tcase_add_test(tcase, days_tick_at_local_midnight);
    tcase_add_loop_test(tcase, chart_stays_within_its_frame, 0, 8);
    tcase_add_test(tcase, chart_of_nothing_is_nothing);
    tcase_add_test(tcase, chart_rises_with_its_values);
    tcase_add_test(tcase, chart_reaches_to_the_limit);
    tcase_add_test(tcase, an_open_end_leaves_the_fan_open);
    tcase_add_test(tcase, what_falls_meets_a_floor);
    tcase_add_test(tcase, layers_have_colours_of_their_own);
    tcase_add_test(tcase, nothing_ahead_draws_history_alone);
    tcase_add_loop_test(tcase, svg_of_what_lies_ahead_is_well_formed, 0, 2);
    tcase_add_test(tcase, svg_is_well_formed_whatever_the_names);
    tcase_add_test(tcase, svg_of_nothing_says_so);
    tcase_add_test(tcase, svg_breaks_the_line_at_gaps);
    suite_add_tcase(suite, tcase);
    return suite;
}
