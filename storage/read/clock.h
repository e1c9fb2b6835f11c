/*
 * From the time of a boot to wall-clock time and back, by the rows of table `clock`. Between two
 * rows the wall clock ran as the boot's clock did; a row stands where it was set.
 */
#ifndef OC_STORAGE_READ_CLOCK_H
#define OC_STORAGE_READ_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define OC_CLOCK_MAX_ROWS (1u << 20)

struct oc_clockmap_row {
    uint32_t boot;
    int64_t boot_ms, unix_ms;
};

/* Rows by (boot, boot_ms). */
struct oc_clockmap {
    struct oc_clockmap_row *rows;
    size_t count, capacity;
};

/* A stretch of boot time in which the wall clock was not set: unix = boot + offset. */
struct oc_clockmap_span {
    int64_t begin_boot_ms, end_boot_ms; /* [begin, end) */
    int64_t offset_ms;
};

void oc_clockmap_clear(struct oc_clockmap *clock);

/* One row more, in order. 0, OC_E_NOMEM or OC_E_TOOBIG. */
int oc_clockmap_add(struct oc_clockmap *clock, uint32_t boot, int64_t boot_ms, int64_t unix_ms);

/* Wall clock of a boot's time; before its first row as if the clock had run so. Of a boot without rows: boot_ms. */
int64_t oc_clockmap_unix_ms(const struct oc_clockmap *clock, uint32_t boot, int64_t boot_ms);

/*
 * The spans of a boot that overlap the wall-clock times [since, until), cut to them, in boot time;
 * one call each. *index is 0 at first. Returns 1 with *out_span, or 0 when there are no more.
 */
int oc_clockmap_next_span(const struct oc_clockmap *clock, uint32_t boot, int64_t since_unix_ms,
                          int64_t until_unix_ms, size_t *index, struct oc_clockmap_span *out_span);

/* Whether wall-clock times of this boot come twice within [since, until): the clock was set back. */
int oc_clockmap_goes_back(const struct oc_clockmap *clock, uint32_t boot, int64_t since_unix_ms,
                          int64_t until_unix_ms);

/* Boots that have rows, in the order of their first wall-clock time, into out_boots. Returns how many there are. */
size_t oc_clockmap_boots(const struct oc_clockmap *clock, uint32_t *out_boots, size_t max_boots);

#endif
