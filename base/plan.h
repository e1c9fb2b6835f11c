/*
 * How a process will be ended by plan, as its service manager's own settings say: IIS recycles workers. A limit that lies
 * beyond the next planned end is shown, and no alert; a life so ended says nothing about limits.
 */
#ifndef OC_BASE_PLAN_H
#define OC_BASE_PLAN_H

#include <stdint.h>

#define OC_PLAN_TIMES_MAX 12

/* Zeroed: no planned end is known. */
struct oc_plan {
    int64_t every_ms; /* after its start; 0: never */
    int64_t
        idle_ms; /* without a request; 0: never. Nobody knows when: it is told, never counted on */
    uint32_t requests; /* after so many; 0: never. As idle_ms */
    uint8_t
        unlogged; /* OC_PLAN_… whose event the system does not write, so that a missing one proves nothing */
    uint8_t time_count;
    uint16_t minutes[OC_PLAN_TIMES_MAX]; /* of the local day, ascending */
};
/* Reasons to end a process, as bits. */
#define OC_PLAN_TIME 1u
#define OC_PLAN_SCHEDULE 2u
#define OC_PLAN_REQUESTS 4u
#define OC_PLAN_MEMORY 8u
#define OC_PLAN_PRIVATE_MEMORY 16u
#define OC_PLAN_ON_DEMAND 32u
#define OC_PLAN_CONFIG_CHANGE 64u
#define OC_PLAN_IDLE 128u

/* Whether it says of an end. */
int oc_plan_is_known(const struct oc_plan *plan);

int oc_plan_is_same(const struct oc_plan *a, const struct oc_plan *b);

#define OC_PLAN_TEXT_BYTES 160
/* "every 1 d 5 h, at 03:00, after 100000 requests, idle for 20 min 00 s"; "" where it is not known. Cut where it is
 * longer. Returned. */
const char *oc_plan_text(const struct oc_plan *plan, char out_text[OC_PLAN_TEXT_BYTES]);

/*
 * The next planned end after now_unix_ms of a process that began at start_unix_ms (0: unknown, then the schedule
 * alone); 0: none is known. Local time by base/os.h's oc_civil_… . Pure.
 */
int64_t oc_plan_next_unix_ms(const struct oc_plan *plan, int64_t start_unix_ms,
                             int64_t now_unix_ms);

#endif
