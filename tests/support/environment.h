/* The test's own environment. For the tests of all rooms. */
#ifndef OC_TESTS_SUPPORT_ENVIRONMENT_H
#define OC_TESTS_SUPPORT_ENVIRONMENT_H

/* Sets a variable; NULL takes it away. 0, or -1. */
int set_variable(const char *name, const char *value);

/*
 * Local time by these rules ("UTC-2", as POSIX has it) for what follows. 1; 0 and a line where the system has no zones of a
 * process's own: Windows. Tests run two hours east of UTC there too, if whoever starts them says TZ=UTC-2 to Wine.
 */
int set_local_time(const char *rules);

#endif
