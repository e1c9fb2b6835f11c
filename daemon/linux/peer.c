#include "daemon/os.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_NAME "oomcastd.sock"

int oc_control_address(const char *data_dir, char *out_address, size_t out_bytes)
{
    int len = snprintf(out_address, out_bytes, "%s/" SOCKET_NAME, data_dir);

    if (len < 0 || (size_t)len >= out_bytes ||
        (size_t)len >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return OC_E_TOOBIG;
    return OC_OK;
}

void oc_control_address_clear(const char *address)
{
    struct stat stat;

    if (lstat(address, &stat) == 0 && S_ISSOCK(stat.st_mode))
        (void)unlink(address);
}

int oc_control_address_protect(uv_pipe_t *server, const char *address)
{
    (void)server;
    (void)chmod(address, 0660);
    return OC_OK;
}

int oc_control_peer(uv_stream_t *client, struct oc_peer *out_peer)
{
    struct ucred peer;
    socklen_t peer_bytes = sizeof(peer);
    uv_os_fd_t fd = -1;

    if (uv_fileno((uv_handle_t *)client, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_bytes) != 0)
        return oc_err_from_errno(errno ? errno : EIO);
    out_peer->uid = peer.uid;
    out_peer->pid = (uint32_t)peer.pid;
    (void)snprintf(out_peer->name, sizeof(out_peer->name), "uid %lld", (long long)peer.uid);
    out_peer->may_change = peer.uid == 0 || peer.uid == geteuid();
    return OC_OK;
}
