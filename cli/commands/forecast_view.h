/* How forecasts are written: the table of subjects, the answer about one, its picture; JSON and CSV. */
#ifndef OC_CLI_COMMANDS_FORECAST_VIEW_H
#define OC_CLI_COMMANDS_FORECAST_VIEW_H

#include "cli/cli.h"
#include "cli/model/outlook.h"
#include "cli/model/shares.h"
#include "cli/show/json.h"
#include "cli/show/plot.h"

/* ---- of several subjects ---- */

struct oc_forecast_list {
    const struct oc_outlook *outlook;
    const struct oc_outlook_subject *items; /* borrowed; the soonest first */
    size_t count;
    size_t unsaid; /* of which nothing is said yet */
    int all;       /* those that do not move too */
};
/* The table, and a line about those that are not in it. 0 or a code. */
int oc_forecast_table(struct oc_cli *cli, const struct oc_forecast_list *list);
void oc_forecast_list_json(struct oc_cli *cli, const struct oc_forecast_list *list);
void oc_forecast_csv(struct oc_cli *cli, const struct oc_forecast_list *list);

/* A line where what is said is old; nothing else. */
void oc_forecast_put_stale(struct oc_cli *cli, const struct oc_outlook *outlook);

/* Members of the object now open: one row, as all answers have it. */
void oc_forecast_json_row(struct oc_json *json, const struct oc_outlook *outlook,
                          const struct oc_outlook_row *row);
/* Of them what lies ahead: only where it is in sight, so that a script need not ask for the state. */
void oc_forecast_json_time(struct oc_json *json, const struct oc_outlook_row *row);
/* "leaking": N … of subjects; members of the object now open. */
void oc_forecast_json_counts(struct oc_json *json, const struct oc_outlook_subject *items,
                             size_t count);
/* "3 leaking, 30 flat, 2 learning", those of states with a bit in the mask; "" where there are none. */
void oc_forecast_put_counts(struct oc_buf *out, const struct oc_outlook_subject *items,
                            size_t count, unsigned states);

/* What stands for a limit in a column: "memory.max", of a user's limit its metric, of none "-". */
const char *oc_forecast_limit_name(const struct oc_forecast_row *said);
enum oc_unit oc_forecast_unit(const struct oc_forecast_row *said);
/* "3 h 20 min", "met", "(52 d)" without restarts, "-". out_bytes ≥ 40. Returned. */
const char *oc_forecast_time(const struct oc_outlook_row *row, char *out, size_t out_bytes);
/* "2 h 40 min - 4 h 10 min", "-". out_bytes ≥ 80. Returned. */
const char *oc_forecast_interval(const struct oc_outlook_row *row, char *out, size_t out_bytes);

/* ---- the picture of one row ---- */

#define OC_FORECAST_MAX_POINTS 1200

struct oc_forecast_plot {
    const struct oc_outlook_row *row; /* borrowed, as what follows */
    const struct oc_outlook_source *source;
    struct oc_point points[OC_FORECAST_MAX_POINTS];
    struct oc_plot_at floor[OC_FORECAST_MAX_POINTS];
    size_t count;
    struct oc_plot_ahead ahead;
    struct oc_plot plot;
    char limit_name[96], title[OC_SUBJECT_NAME_BYTES + 80], subtitle[320];
};
/*
 * Reads the history of a row's series since a time (0: as far back as tells something) in some points, and sets up the plot. 0
 * or a code; no samples: count is 0.
 */
int oc_forecast_plot_load(struct oc_forecast_plot *plot, oc_reader *reader,
                          const struct oc_outlook *outlook, const struct oc_outlook_row *row,
                          int64_t since_unix_ms, size_t points);
/* On the terminal, with a line that says what is what. 0 or a code. */
int oc_forecast_chart(struct oc_cli *cli, const struct oc_forecast_plot *plot);
/* To a file, as SVG. 0 or a code. */
int oc_forecast_svg(const struct oc_forecast_plot *plot, const char *path);
void oc_forecast_json_plot(struct oc_json *json, const struct oc_forecast_plot *plot);

/* ---- of one subject ---- */

struct oc_forecast_answer {
    const struct oc_outlook *outlook;
    const struct oc_outlook_choice *choice;
    const struct oc_outlook_row *binding;   /* NULL: no limit is forecast to be met */
    const struct oc_forecast_plot *plot;    /* NULL: none */
    const struct oc_outlook_source *cgroup; /* whose growth the shares are of; NULL: none */
    const struct oc_shares *shares;
    char began[640];               /* what it began with; "": unknown */
    char ended[640];               /* how it ended; "": it runs */
    char plan[OC_PLAN_TEXT_BYTES]; /* how its lives are ended by plan; "": they are not */
};
int oc_forecast_answer_text(struct oc_cli *cli, const struct oc_forecast_answer *answer);
void oc_forecast_answer_json(struct oc_cli *cli, const struct oc_forecast_answer *answer);

#endif
