/* A notice to tell of, and its body. */
#ifndef OC_TESTS_ALERT_BODY_FIXTURE_H
#define OC_TESTS_ALERT_BODY_FIXTURE_H

#include "alert/body.h"

#include <check.h>
#include <cjson/cJSON.h>

#define NOW INT64_C(1795456800000) /* 2026-11-23T18:00:00Z */
#define MINUTE INT64_C(60000)

extern struct oc_body body;
extern struct oc_notice notice;
extern struct oc_notice_alert alerts[OC_NOTICE_ALERTS_MAX];

void body_setup(void);
void body_teardown(void);
/* So many firing alerts of a subject. */
void make_notice(size_t count, const char *subject);
/* Into body; fails the test where it cannot be. */
void write_body(unsigned type);
/* The body as JSON: yours to delete. */
cJSON *parsed(void);
const cJSON *member(const cJSON *object, const char *key);
void has(const cJSON *object, const char *key, const char *text);
/* A value of the fields; NULL: there is none. */
const char *field(const char *name);

Suite *hostile_suite(void);

#endif
