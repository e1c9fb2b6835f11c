/* A run of one process, as `oomcast watch` sees it: summaries of all figures, lines of some. */
#ifndef OC_CLI_MODEL_RECORDING_H
#define OC_CLI_MODEL_RECORDING_H

#include "base/buf.h"
#include "base/sample.h"
#include "cli/cli.h"
#include "cli/model/series.h"
#include "cli/show/plot.h"

#include <stdint.h>

#define OC_RECORDING_LINES 2

struct oc_recording {
    struct oc_proc_facts facts;
    char command[1024]; /* what was run; "" where a PID was given */
    int64_t interval_ms;
    int64_t begin_unix_ms, end_unix_ms;
    enum oc_end end;
    int status;
    uint64_t processes, processes_most; /* that were added up: in all, and at once */
    uint64_t samples, late; /* late: ticks that were skipped since the one before took too long */
    struct oc_trend figures[OC_BLOCK_METRICS]; /* by number % 64, of the process block */
    unsigned line_metrics[OC_RECORDING_LINES]; /* numbers; the first is the one that is charted */
    struct oc_series lines[OC_RECORDING_LINES];
};

/* metric: the number to chart first; rss_bytes (or private_bytes beside it) is the second line. */
void oc_recording_init(struct oc_recording *recording, unsigned metric);
void oc_recording_clear(struct oc_recording *recording);

/* Takes a sample of the process block. 0 or OC_E_NOMEM. */
int oc_recording_add(struct oc_recording *recording, int64_t t_unix_ms,
                     const struct oc_sample *sample);

/* CSV: a column for each metric of a process; an unknown figure is an empty field. */
void oc_recording_csv_head(struct oc_buf *out);
void oc_recording_csv_row(const struct oc_recording *recording, int64_t t_unix_ms,
                          const struct oc_sample *sample, struct oc_buf *out);

/* The summary for people, with a chart where style is not NULL. 0 or a code. */
int oc_recording_report(const struct oc_recording *recording, int color, int utf8,
                        const struct oc_chart_style *chart, struct oc_buf *out);
void oc_recording_json(const struct oc_recording *recording, struct oc_buf *out);
int oc_recording_svg(const struct oc_recording *recording, struct oc_buf *out);

/* One line, no newline, of at most `columns` columns: how it stands. */
void oc_recording_live(const struct oc_recording *recording, int columns, int utf8,
                       struct oc_buf *out);

/* "exited with 0", "killed by signal 9 (SIGKILL)", … out_bytes ≥ 64. Returned. */
const char *oc_end_text(enum oc_end end, int status, char *out, size_t out_bytes);

#endif
