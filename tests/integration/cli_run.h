/* oomcast as people and scripts run it: a shell line, and what it answered. */
#ifndef OC_TESTS_INTEGRATION_CLI_RUN_H
#define OC_TESTS_INTEGRATION_CLI_RUN_H

#include <cjson/cJSON.h>
#include <sys/types.h>

#define CLI_MAX_ANSWER (1u << 20)
#define CLI_DEADLINE_MS 20000

extern char out[CLI_MAX_ANSWER], err[CLI_MAX_ANSWER]; /* of the last line */

/* The program under test: $OC_OOMCAST. */
const char *oomcast(void);

/* A shell line; $O is oomcast. Returns the exit code; what it wrote is in out and err. */
int run(const char *line);

/* A shell line that goes on; its pid. The ends of its standard output and error are the caller's. */
pid_t start_with_pipes(const char *command, int *out_fd, int *err_fd);

/* What `out` holds; the caller's to delete. Asserts that it is JSON, and that there is the number. */
cJSON *json(void);
double number(const cJSON *object, const char *key);

int holds(const char *text, const char *part);

#endif
