#include "daemon/clock.h"
#include "daemon/schedule.h"
#include "suites.h"

#include <stdlib.h>

/* ---- the schedule ---- */

START_TEST(schedule_does_not_drift)
{
    struct oc_schedule schedule;
    struct oc_due due;
    int64_t first_ms = 0;

    oc_schedule_init(&schedule, 1000, 100, 0);
    first_ms = oc_schedule_next_ms(&schedule);
    for (int64_t k = 0; k < 100000; k++) {
        int64_t late_ms = k % 7; /* each tick is made a little late, which must not add up */

        ck_assert_int_eq(oc_schedule_next_ms(&schedule), first_ms + k * 100);
        ck_assert_int_eq(oc_schedule_take(&schedule, first_ms + k * 100 + late_ms, &due), 1);
        ck_assert_int_eq(due.due_mono_ms, first_ms + k * 100);
        ck_assert_int_eq(due.skipped, 0);
        ck_assert_int_eq(due.late, late_ms > 5);
    }
}
END_TEST

START_TEST(schedule_makes_no_tick_too_early)
{
    struct oc_schedule schedule;
    struct oc_due due = { .due_mono_ms = -1 };

    oc_schedule_init(&schedule, 0, 1000, 0);
    ck_assert_int_eq(oc_schedule_take(&schedule, oc_schedule_next_ms(&schedule) - 1, &due), 0);
    ck_assert_int_eq(due.due_mono_ms, -1);
}
END_TEST

START_TEST(schedule_counts_skipped_ticks_and_keeps_the_phase)
{
    struct oc_schedule schedule;
    struct oc_due due;
    int64_t first_ms = 0;

    oc_schedule_init(&schedule, 0, 1000, 3);
    first_ms = oc_schedule_next_ms(&schedule);
    ck_assert_int_eq(oc_schedule_take(&schedule, first_ms + 4321, &due), 1);
    ck_assert_int_eq(due.skipped, 4);
    ck_assert_int_eq(due.due_mono_ms, first_ms + 4000);
    ck_assert_int_eq(due.late, 1);
    ck_assert_int_eq(oc_schedule_next_ms(&schedule), first_ms + 5000);
}
END_TEST

START_TEST(schedule_spreads_the_phases_of_groups)
{
    int64_t next_ms[16];

    for (uint32_t count = 2; count <= 16; count++) {
        int64_t nearest_ms = 10000;

        for (uint32_t i = 0; i < count; i++) {
            struct oc_schedule schedule;

            int64_t now_ms = 1234567 + 3137 * (int64_t)i; /* made one after the other */

            oc_schedule_init(&schedule, now_ms, 10000, i);
            ck_assert_int_gt(oc_schedule_next_ms(&schedule), now_ms);
            ck_assert_int_le(oc_schedule_next_ms(&schedule), now_ms + 10000);
            next_ms[i] = oc_schedule_next_ms(&schedule) % 10000;
            for (uint32_t j = 0; j < i; j++) {
                int64_t apart_ms = llabs(next_ms[i] - next_ms[j]);

                apart_ms = apart_ms > 5000 ? 10000 - apart_ms : apart_ms;
                nearest_ms = apart_ms < nearest_ms ? apart_ms : nearest_ms;
            }
        }
        ck_assert_int_gt(nearest_ms, 10000 / (int64_t)count / 4);
    }
}
END_TEST

/* ---- the clocks ---- */

#define MS INT64_C(1000000)

static const struct oc_clock_reading noon = { 5000 * MS, 7000 * MS, 1700000000000 };

START_TEST(clock_is_quiet_while_nothing_jumps)
{
    struct oc_clock clock;
    struct oc_clock_reading now = noon;
    int64_t moved_ms = -1;

    oc_clock_start(&clock, &now);
    for (int i = 0; i < 1000; i++) {
        now.mono_ns += 10000 * MS;
        now.boot_ns += 10000 * MS + (i % 3 - 1) * 400; /* noise of reading them in turn */
        now.unix_ms += 10000;
        ck_assert_int_eq(oc_clock_update(&clock, &now, &moved_ms), 0);
    }
    ck_assert_int_eq(oc_clock_boot_ms(&clock, 6000), 8000);
}
END_TEST

START_TEST(clock_tells_suspend_from_a_set_wall_clock)
{
    struct oc_clock clock;
    struct oc_clock_reading now = noon;
    int64_t moved_ms = 0;

    oc_clock_start(&clock, &now);
    now.mono_ns += 1000 * MS; /* an hour asleep */
    now.boot_ns += 3601000 * MS;
    now.unix_ms += 3601000;
    ck_assert_int_eq(oc_clock_update(&clock, &now, &moved_ms), OC_CLOCK_SUSPENDED);
    ck_assert_int_eq(moved_ms, 3600000);
    ck_assert_int_eq(oc_clock_boot_ms(&clock, 6000), 2000 + 3600000 + 6000);
    now.unix_ms -= 7200000; /* then somebody sets the time back */
    ck_assert_int_eq(oc_clock_update(&clock, &now, &moved_ms), OC_CLOCK_JUMPED);
    ck_assert_int_eq(moved_ms, -7200000);
    ck_assert_int_eq(oc_clock_update(&clock, &now, &moved_ms), 0);
    ck_assert_uint_eq(clock.suspends, 1);
    ck_assert_uint_eq(clock.jumps, 1);
}
END_TEST

START_TEST(clock_takes_a_slow_slew_for_a_jump_once_it_is_large)
{
    struct oc_clock clock;
    struct oc_clock_reading now = noon;
    int64_t moved_ms = 0;
    int jumps = 0;

    oc_clock_start(&clock, &now);
    for (int i = 0; i < 100; i++) { /* 5 ms in 10 s, as the kernel slews */
        now.mono_ns += 10000 * MS;
        now.boot_ns += 10000 * MS;
        now.unix_ms += 10005;
        jumps += oc_clock_update(&clock, &now, &moved_ms) != 0;
    }
    ck_assert_int_eq(jumps, 2);
}
END_TEST

Suite *schedule_suite(void)
{
    Suite *suite = suite_create("schedule");
    TCase *tcase = tcase_create("schedule");

    tcase_add_test(tcase, schedule_does_not_drift);
    tcase_add_test(tcase, schedule_makes_no_tick_too_early);
    tcase_add_test(tcase, schedule_counts_skipped_ticks_and_keeps_the_phase);
    tcase_add_test(tcase, schedule_spreads_the_phases_of_groups);
    tcase_add_test(tcase, clock_is_quiet_while_nothing_jumps);
    tcase_add_test(tcase, clock_tells_suspend_from_a_set_wall_clock);
    tcase_add_test(tcase, clock_takes_a_slow_slew_for_a_jump_once_it_is_large);
    suite_add_tcase(suite, tcase);
    return suite;
}
