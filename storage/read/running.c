#include "storage/read/running.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

static void copy_column(char *out, size_t out_bytes, sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    oc_text_copy_utf8(out, out_bytes, text ? (const char *)text : "",
                      text ? strlen((const char *)text) : 0);
}

static int add(struct oc_running_list *list, sqlite3_stmt *statement)
{
    void *items = list->items;
    int rc = oc_array_grow(&items, &list->capacity, list->count + 1, sizeof *list->items,
                           OC_RUNNING_MAX);
    struct oc_running *item;

    list->items = items;
    if (rc < 0)
        return rc;
    item = &list->items[list->count++];
    memset(item, 0, sizeof *item);
    item->source = (uint32_t)sqlite3_column_int64(statement, 0);
    item->boot = (uint32_t)sqlite3_column_int64(statement, 1);
    item->kind = (uint8_t)sqlite3_column_int(statement, 2);
    item->pid = (uint32_t)sqlite3_column_int64(statement, 4);
    copy_column(item->subject, sizeof item->subject, statement, 3);
    copy_column(item->name, sizeof item->name, statement, 5);
    item->sealed_boot_ms = INT64_MIN;
    return OC_OK;
}

int oc_running_load(struct oc_running_list *list, oc_reader *reader)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc = oc_scan_prepare(reader->scan.db, &statement,
                             "SELECT s.id, s.boot, s.kind, b.name, l.pid, l.name "
                             "FROM main.source s JOIN main.subject b ON b.id = s.subject "
                             "LEFT JOIN main.life l ON l.source = s.id "
                             "WHERE s.end_ms IS NULL ORDER BY s.id");

    while (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW)
        rc = add(list, statement);
    (void)sqlite3_finalize(statement);
    return rc < 0 ? rc : oc_scan_code(step);
}

void oc_running_clear(struct oc_running_list *list)
{
    oc_free(list->items);
    memset(list, 0, sizeof *list);
}

struct oc_running *oc_running_find(const struct oc_running_list *list, uint32_t source)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (list->items[middle].source == source)
            return &list->items[middle];
        if (list->items[middle].source < source)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static int count_sample(uint32_t source, int64_t t_boot_ms, const struct oc_sample *sample,
                        int same, void *context)
{
    struct oc_running *item = oc_running_find(context, source);

    (void)same;
    if (item && sample->block == oc_reader_main_block(item->kind) &&
        t_boot_ms > item->sealed_boot_ms) {
        item->unsealed_count++;
        item->last_boot_ms = t_boot_ms;
    }
    return 0;
}

int oc_running_count(struct oc_running_list *list, oc_reader *reader)
{
    struct oc_scan_replay what = { .only_source = OC_READER_ALL_SOURCES,
                                   .begin_boot_ms = INT64_MIN };
    int64_t sealed[OC_BLOCK_COUNT], newest_boot_ms = 0;
    oc_replay *replay = NULL;
    int rc = oc_scan_newest_tick(&reader->scan, &what.boot, &newest_boot_ms);

    if (rc != 1)
        return rc;
    rc = OC_OK;
    for (size_t i = 0; i < list->count && rc == OC_OK; i++) {
        rc = oc_scan_sealed(&reader->scan, list->items[i].source, sealed);
        list->items[i].sealed_boot_ms = sealed[oc_reader_main_block(list->items[i].kind)];
    }
    if (rc < 0)
        return rc;
    replay = oc_replay_new(what.only_source);
    if (!replay)
        return OC_E_NOMEM;
    rc = oc_scan_journal(&reader->scan, &what, replay, count_sample, list);
    oc_replay_free(replay);
    return rc;
}
