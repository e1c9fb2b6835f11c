/* What a user with few rights may do. For the tests of all rooms. */
#ifndef OC_TESTS_SUPPORT_RIGHTS_H
#define OC_TESTS_SUPPORT_RIGHTS_H

/* Whether this process may be another user and come back: root on Linux. */
int can_be_nobody(void);
/* Files and folders: of root and of the group of nobody, with this mode. 0, or -1. */
int give_to_nobodys_group(const char *path, unsigned mode);
int become_nobody(void); /* 0, or -1 */
int become_root(void);
/* Whether files have modes, for chmod in a shell; 0 and a line where rights are lists: Windows. */
int has_file_modes(void);

#endif
