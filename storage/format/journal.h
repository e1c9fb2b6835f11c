/*
 * A row of the journal: all samples of one batch (one or more ticks), in the order in which they
 * were taken in. It holds what no chunk holds yet, so that a crash loses the batch in flight at
 * most; rows go once all that is in them is sealed.
 *
 *   blob  := byte version (1) | byte packing (0 stored, 1 zstd) | if zstd: varint bytes of the body
 *            | body
 *   body  := ticks
 *   tick  := zigzag (t_ms - t_ms of the tick before in this row, or 0) | entries | byte 0
 *   entry := varint (zigzag(source - next source) << 3 | kind), where `next source` is the last
 *            one named in this tick + 1, at first 0
 *            kind 1: varint further sources: the samples before stand for source, source + 1, …
 *            kind 2, 3, 4: a body of delta.h (same known, known, reset) for the block now set
 *            kind 5: varint block: entries that follow are of it (0 at the start of a tick);
 *                    the source part is 0 and names none
 *
 * A row whose column `keyed` is 1 begins anew: from it on the first entry of each source and block
 * is a reset. So whoever wants the state begins at a keyed row and needs nothing before it.
 */
#ifndef OC_STORAGE_FORMAT_JOURNAL_H
#define OC_STORAGE_FORMAT_JOURNAL_H

#include "storage/format/delta.h"

#include "base/buf.h"
#include "base/sample.h"

#include <stddef.h>
#include <stdint.h>

#define OC_JOURNAL_MAX_ROW_BYTES (64u << 20) /* unpacked */

enum oc_journal_kind {
    OC_JOURNAL_END = 0,
    OC_JOURNAL_SAME = 1,
    OC_JOURNAL_DELTA = 2, /* and 3, 4: + enum oc_delta_kind */
    OC_JOURNAL_BLOCK = 5
};

/* ---- writing ---- */
struct oc_journal_writer {
    struct oc_buf body;
    int64_t last_t_ms;
    uint32_t next_source, run_first, run_count; /* a run of "same" not yet written */
    uint8_t block;
    int in_tick;
    uint64_t sample_count;
};

void oc_journal_writer_init(struct oc_journal_writer *writer, size_t max_bytes);
void oc_journal_writer_clear(struct oc_journal_writer *writer);
void oc_journal_writer_reset(struct oc_journal_writer *writer); /* a new row; keeps memory */

void oc_journal_tick_begin(struct oc_journal_writer *writer, int64_t t_ms);
void oc_journal_same(struct oc_journal_writer *writer, uint32_t source);
void oc_journal_sample(struct oc_journal_writer *writer, uint32_t source, unsigned block,
                       enum oc_delta_kind kind, const uint8_t *body, size_t body_bytes);
void oc_journal_tick_end(struct oc_journal_writer *writer);

/* ---- reading ---- */

/* The bytes of a row, unpacked: *out_body is yours to free with oc_free(), or NULL where it is the
 * blob's own part. 0, OC_E_NEWER, OC_E_PARSE, OC_E_TOOBIG, OC_E_NOMEM. */
int oc_journal_unpack(const void *blob, size_t blob_bytes, uint8_t **out_owned,
                      const uint8_t **out_body, size_t *out_bytes);

struct oc_journal_cursor {
    const uint8_t *at, *end;
    int64_t t_ms;
    uint32_t next_source;
    uint8_t block;
    uint8_t in_tick;
};

struct oc_journal_entry {
    int64_t t_ms;
    uint32_t source;
    uint32_t same_count; /* > 0: for source, source + 1, … all blocks stand as they were */
    uint8_t block;       /* else: a sample of this block */
    enum oc_delta_kind kind;
    const uint8_t *body; /* for oc_delta_get() */
    size_t body_bytes;
};

void oc_journal_cursor_init(struct oc_journal_cursor *cursor, const uint8_t *body, size_t bytes);
/* 1, 0 at the end, or OC_E_PARSE. */
int oc_journal_next(struct oc_journal_cursor *cursor, struct oc_journal_entry *out_entry);

/* ---- replaying: rows in, whole samples out ---- */

/* The last sample of each source and block met so far. */
typedef struct oc_replay oc_replay;

/* only_source: UINT32_MAX for all, else others are passed over. NULL where memory is short. */
oc_replay *oc_replay_new(uint32_t only_source);
void oc_replay_free(oc_replay *replay);

/* same: the values are those of the call before for this source and block. fn returns 0 to go on. */
typedef int oc_replay_fn(uint32_t source, int64_t t_ms, const struct oc_sample *sample, int same,
                         void *context);

/*
 * Takes rows in ascending id, from a keyed one on. What refers to a sample before the first row is
 * passed over (oc_replay_skipped). keyed: the row's column: what came before is forgotten where it
 * is set. fn NULL: only the last samples are wanted. Returns 0, what fn returned, or OC_E_NEWER, OC_E_PARSE, OC_E_TOOBIG, OC_E_NOMEM.
 */
int oc_replay_row(oc_replay *replay, int keyed, const void *blob, size_t blob_bytes,
                  oc_replay_fn *fn, void *context);
uint64_t oc_replay_skipped(const oc_replay *replay);

/* The last sample of each source and block, in no order; fn as above, with its time. */
int oc_replay_each(const oc_replay *replay, oc_replay_fn *fn, void *context);

#endif
