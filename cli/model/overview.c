#include "cli/model/overview.h"

#include "base/os.h"

#include <stdio.h>

static int take_subject(const struct oc_subject_row *row, void *context)
{
    struct oc_overview *overview = context;

    overview->subjects++;
    overview->sources += row->sources;
    overview->running += row->running;
    if (overview->first_unix_ms == 0 || row->first_unix_ms < overview->first_unix_ms)
        overview->first_unix_ms = row->first_unix_ms;
    if (row->last_unix_ms > overview->last_unix_ms)
        overview->last_unix_ms = row->last_unix_ms;
    return 0;
}

int oc_overview_read(oc_reader *reader, struct oc_overview *out_overview)
{
    struct oc_overview overview = { 0 };
    char wal[1100];
    int rc = oc_reader_subjects(reader, take_subject, &overview);

    if (rc < 0)
        return rc;
    (void)snprintf(wal, sizeof(wal), "%s-wal", oc_reader_path(reader));
    (void)oc_file_size(oc_reader_path(reader), &overview.file_bytes); /* 0 where it cannot be had */
    (void)oc_file_size(wal, &overview.wal_bytes);
    *out_overview = overview;
    return OC_OK;
}
