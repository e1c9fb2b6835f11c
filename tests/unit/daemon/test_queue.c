#include "base/alloc.h"
#include "daemon/queue.h"
#include "suites.h"

#include <string.h>

#define GROUP_A 1
#define GROUP_B 2

static struct oc_queue queue;

static void setup(void) { ck_assert_int_eq(oc_queue_init(&queue, 0), OC_OK); }

static void teardown(void)
{
    oc_queue_clear(&queue);
    ck_assert_int_eq(oc_alloc_live(), 0);
}

/* A tick of two sources; one that is not keyed says "same" of the second. */
static struct oc_message *tick_of(uint32_t group, int keyed, int64_t t_ms)
{
    struct oc_message *message = oc_queue_take_spare(&queue, OC_MESSAGE_TICK);
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

    oc_sample_set(&sample, OC_METRIC_RSS, t_ms);
    message->group = group;
    oc_tick_begin(&message->tick, t_ms);
    oc_tick_put(&message->tick, 1, &sample);
    if (keyed)
        oc_tick_put(&message->tick, 2, &sample);
    else
        oc_tick_same(&message->tick, 2);
    ck_assert_int_eq(message->tick.keyed, keyed);
    return message;
}

/* As many bytes as count ticks are charged. */
static size_t room_for(size_t count)
{
    struct oc_message *message = tick_of(GROUP_A, 1, 0);
    size_t bytes = sizeof(*message) + message->tick.bytes.cap_bytes;

    oc_queue_give_back(&queue, message);
    return count * bytes;
}

/* The times of what is queued must be these; ended by -1. */
static void expect_times(const int64_t *times)
{
    for (; *times >= 0; times++) {
        struct oc_message *message = oc_queue_pop(&queue);

        ck_assert_ptr_nonnull(message);
        ck_assert_int_eq(message->tick.t_ms, *times);
        oc_queue_give_back(&queue, message);
    }
    ck_assert_ptr_null(oc_queue_pop(&queue));
    ck_assert_uint_eq(queue.queued_bytes, 0);
}

START_TEST(queue_keeps_order)
{
    queue.max_bytes = room_for(10);
    for (int64_t t = 0; t < 5; t++)
        oc_queue_push(&queue, tick_of(GROUP_A, 0, t));
    expect_times((int64_t[]){ 0, 1, 2, 3, 4, -1 });
    ck_assert_uint_eq(queue.lost_samples, 0);
    ck_assert_uint_eq(oc_queue_epoch(&queue), 0);
}
END_TEST

START_TEST(queue_drops_the_oldest_and_what_leans_on_it)
{
    queue.max_bytes = room_for(5);
    oc_queue_push(&queue, tick_of(GROUP_A, 1, 0));
    oc_queue_push(&queue, tick_of(GROUP_A, 0, 1)); /* leans on 0 */
    oc_queue_push(&queue, tick_of(GROUP_B, 0, 2)); /* another chain */
    oc_queue_push(&queue, tick_of(GROUP_A, 0, 3)); /* leans on 1 */
    oc_queue_push(&queue, tick_of(GROUP_A, 1, 4)); /* begins anew */
    oc_queue_push(&queue, tick_of(GROUP_A, 0, 5)); /* does not fit */
    ck_assert_uint_eq(queue.lost_samples, 6);
    ck_assert_uint_eq(queue.lost_ticks, 3);
    ck_assert_uint_eq(oc_queue_epoch(&queue), 1);
    expect_times((int64_t[]){ 2, 4, 5, -1 });
}
END_TEST

START_TEST(queue_drops_a_new_tick_that_leans_on_a_dropped_one)
{
    queue.max_bytes = room_for(3);
    for (int64_t t = 0; t < 4; t++)
        oc_queue_push(&queue, tick_of(GROUP_A, t == 0, t));
    ck_assert_uint_eq(queue.lost_ticks, 4);
    oc_queue_push(&queue, tick_of(GROUP_A, 1, 4));
    expect_times((int64_t[]){ 4, -1 });
}
END_TEST

START_TEST(queue_drops_one_keyed_tick_at_a_time)
{
    queue.max_bytes = room_for(3);
    for (int64_t t = 0; t < 5; t++)
        oc_queue_push(&queue, tick_of(GROUP_A, 1, t));
    ck_assert_uint_eq(queue.lost_ticks, 2);
    expect_times((int64_t[]){ 2, 3, 4, -1 });
}
END_TEST

START_TEST(queue_never_drops_begins_and_ends)
{
    struct oc_message *message = NULL;

    queue.max_bytes = 1;
    for (int i = 0; i < 100; i++)
        oc_queue_push(&queue,
                      oc_queue_take_spare(&queue, i % 2 ? OC_MESSAGE_END : OC_MESSAGE_BEGIN));
    oc_queue_push(&queue, tick_of(GROUP_A, 1, 7)); /* nothing can make room: it passes */
    for (int i = 0; i < 100; i++) {
        message = oc_queue_pop(&queue);
        ck_assert_int_eq(message->kind, i % 2 ? OC_MESSAGE_END : OC_MESSAGE_BEGIN);
        oc_queue_give_back(&queue, message);
    }
    expect_times((int64_t[]){ 7, -1 });
}
END_TEST

START_TEST(queue_takes_back_what_could_not_be_written)
{
    struct oc_message *message = NULL;

    queue.max_bytes = room_for(10);
    oc_queue_push(&queue, tick_of(GROUP_A, 1, 1));
    oc_queue_push(&queue, tick_of(GROUP_A, 1, 2));
    message = oc_queue_pop(&queue);
    oc_queue_put_back(&queue, message);
    expect_times((int64_t[]){ 1, 2, -1 });
}
END_TEST

/* A walk of so many bytes of names. */
static struct oc_message *walk_of(size_t text_bytes, uint32_t source)
{
    struct oc_message *message = oc_queue_take_spare(&queue, OC_MESSAGE_WALK);

    message->census = oc_calloc(1, sizeof(*message->census));
    message->census->text = oc_calloc(1, text_bytes);
    message->census->text_bytes = text_bytes;
    message->source = source;
    return message;
}

START_TEST(queue_drops_the_oldest_walks_before_any_tick)
{
    struct oc_message *message = NULL;

    queue.max_bytes = room_for(4) + 2 * 10000;
    oc_queue_push(&queue, walk_of(9000, 1));
    oc_queue_push(&queue, tick_of(GROUP_A, 1, 0));
    oc_queue_push(&queue, walk_of(9000, 2));
    oc_queue_push(&queue, walk_of(9000, 3)); /* the first goes */
    ck_assert_uint_eq(queue.lost_walks, 1);
    while (queue.queued_walks > 0)
        oc_queue_push(&queue, tick_of(GROUP_A, 1, queue.queued_ticks));
    ck_assert_uint_eq(queue.lost_walks, 3);
    ck_assert_uint_eq(queue.lost_samples, 0);
    message = oc_queue_pop(&queue);
    ck_assert_int_eq(message->kind, OC_MESSAGE_TICK);
    ck_assert_int_eq(message->tick.t_ms, 0);
    oc_queue_give_back(&queue, message);
}
END_TEST

START_TEST(queue_lets_a_large_walk_pass_where_ticks_leave_room)
{
    queue.max_bytes = room_for(4);
    oc_queue_push(&queue, tick_of(GROUP_A, 1, 0));
    oc_queue_push(&queue, walk_of(10 * queue.max_bytes, 1));
    ck_assert_uint_eq(queue.lost_walks, 0);
    ck_assert_uint_eq(queue.queued_walks, 1);
    oc_queue_push(&queue, tick_of(GROUP_A, 1, 1)); /* which needs it now */
    ck_assert_uint_eq(queue.lost_walks, 1);
    oc_queue_push(&queue, tick_of(GROUP_A, 1, 2));
    oc_queue_push(&queue, walk_of(10 * queue.max_bytes, 1));
    ck_assert_uint_eq(queue.lost_walks, 2);
    expect_times((int64_t[]){ 0, 1, 2, -1 });
}
END_TEST

START_TEST(queue_allocates_nothing_in_steady_state)
{
    queue.max_bytes = room_for(10);
    oc_queue_push(&queue, tick_of(GROUP_A, 1, 1));
    oc_queue_give_back(&queue, oc_queue_pop(&queue));
    oc_alloc_fail_at(0, 0); /* counts from here */
    for (int64_t t = 0; t < 1000; t++) {
        oc_queue_push(&queue, tick_of(GROUP_A, 1, t));
        oc_queue_give_back(&queue, oc_queue_pop(&queue));
    }
    ck_assert_uint_eq(oc_alloc_count(), 0);
}
END_TEST

START_TEST(queue_gives_the_memory_of_a_backlog_back)
{
    int64_t live = 0;

    queue.max_bytes = room_for(1000);
    oc_queue_push(&queue, tick_of(GROUP_A, 1, 1));
    oc_queue_give_back(&queue, oc_queue_pop(&queue));
    live = oc_alloc_live();
    for (int64_t t = 0; t < 500; t++)
        oc_queue_push(&queue, tick_of(GROUP_A, 1, t));
    for (int64_t t = 0; t < 500; t++)
        oc_queue_give_back(&queue, oc_queue_pop(&queue));
    ck_assert_int_le(oc_alloc_live(), live + 8);
}
END_TEST

Suite *queue_suite(void)
{
    Suite *suite = suite_create("queue");
    TCase *tcase = tcase_create("queue");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, queue_keeps_order);
    tcase_add_test(tcase, queue_drops_the_oldest_and_what_leans_on_it);
    tcase_add_test(tcase, queue_drops_a_new_tick_that_leans_on_a_dropped_one);
    tcase_add_test(tcase, queue_drops_one_keyed_tick_at_a_time);
    tcase_add_test(tcase, queue_never_drops_begins_and_ends);
    tcase_add_test(tcase, queue_takes_back_what_could_not_be_written);
    tcase_add_test(tcase, queue_drops_the_oldest_walks_before_any_tick);
    tcase_add_test(tcase, queue_lets_a_large_walk_pass_where_ticks_leave_room);
    tcase_add_test(tcase, queue_allocates_nothing_in_steady_state);
    tcase_add_test(tcase, queue_gives_the_memory_of_a_backlog_back);
    suite_add_tcase(suite, tcase);
    return suite;
}
