/*
 * A tick on its way from the loop to the writer: what one tick read of all its sources, packed.
 * The loop makes it, the bounded queue carries it as bytes, oc_store_append() takes it.
 * Values are absolute, so that an older tick may be dropped as long as a keyed one follows.
 */
#ifndef OC_STORAGE_TICK_H
#define OC_STORAGE_TICK_H

#include "base/buf.h"
#include "base/sample.h"

#include <stdint.h>

#define OC_TICK_MAX_BYTES (8u << 20)

struct oc_tick {
    struct oc_buf bytes;   /* the packed entries */
    int64_t t_ms;          /* CLOCK_BOOTTIME of the sample */
    uint32_t source_count; /* entries */
    int keyed;             /* no entry says "same" */
};

void oc_tick_init(struct oc_tick *tick);
void oc_tick_clear(struct oc_tick *tick);

/* Empties and begins; memory is reused. */
void oc_tick_begin(struct oc_tick *tick, int64_t t_ms);

/* The source's last sample stands. Sources may come in any order; ascending is smallest and fastest. */
void oc_tick_same(struct oc_tick *tick, uint32_t source);

/* A whole sample. Check tick->bytes.err (OC_E_NOMEM, OC_E_TOOBIG) once at the end. */
void oc_tick_put(struct oc_tick *tick, uint32_t source, const struct oc_sample *sample);

/* ---- reading back: the writer's side ---- */
struct oc_tick_entry {
    uint32_t source;
    int same;                /* then the rest is undefined */
    struct oc_sample sample; /* only known values are set */
};
struct oc_tick_cursor {
    const uint8_t *at, *end;
    uint32_t last_source, run_left;
};
void oc_tick_cursor_init(struct oc_tick_cursor *cursor, const void *bytes, size_t len_bytes);
/* 1, 0 at the end, or OC_E_PARSE. */
int oc_tick_next(struct oc_tick_cursor *cursor, struct oc_tick_entry *out_entry);

#endif
