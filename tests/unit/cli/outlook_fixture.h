/* A store with forecasts in it, made with the writer's calls: subjects in every state, a cgroup that fills up, a record. */
#ifndef OC_TESTS_CLI_OUTLOOK_FIXTURE_H
#define OC_TESTS_CLI_OUTLOOK_FIXTURE_H

#include <stdint.h>

#define OUTLOOK_MINUTE INT64_C(60000)
#define OUTLOOK_HOUR (60 * OUTLOOK_MINUTE)
#define OUTLOOK_MIB (INT64_C(1) << 20)
#define OUTLOOK_SAID_AGO (10 * OUTLOOK_MINUTE) /* forecasts are as old at `now` */
#define OUTLOOK_SHOP "/system.slice/shop.service"
#define OUTLOOK_EVIL "proc:evil\033[2J"

/*
 * now_unix_ms: of the last samples. What is in it: docs of the rows in the .c file. Returns the folder, which
 * holds oomcast.db; outlook_fixture_end() removes it.
 */
const char *outlook_fixture_begin(int64_t now_unix_ms);
void outlook_fixture_end(void);

/* A store with nothing forecast: one process and its samples. */
const char *outlook_fixture_empty(int64_t now_unix_ms);

#endif
