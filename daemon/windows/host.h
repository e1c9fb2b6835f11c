/* Between the files of this folder: whether the service control manager started us, and what it asks. */
#ifndef OC_DAEMON_WINDOWS_HOST_H
#define OC_DAEMON_WINDOWS_HOST_H

/* 1: as a service; 0: in a console, or by another program. */
int oc_host_is_service(void);

enum oc_host_wish {
    OC_HOST_STOP = 1,
    OC_HOST_PRESHUTDOWN = 2, /* the machine shuts down or starts again */
    OC_HOST_RELOAD = 4
};
/* Hands a wish to the loop, or keeps it until there is one. From any thread; waits for nothing. */
void oc_wishes_post(enum oc_host_wish wish);

#endif
