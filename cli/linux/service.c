#include "cli/service.h"

static int not_here(const char *mend, struct oc_detail *detail)
{
    return oc_detail_set(detail, OC_E_NOTSUP, "here the service is systemd's: %s", mend);
}

int oc_service_install(const struct oc_service_plan *plan, struct oc_detail *detail)
{
    (void)plan;
    return not_here("the package brings it; then systemctl enable --now oomcastd", detail);
}

int oc_service_uninstall(struct oc_detail *detail)
{
    return not_here("systemctl disable --now oomcastd", detail);
}

int oc_service_start(struct oc_detail *detail)
{
    return not_here("systemctl start oomcastd", detail);
}

int oc_service_stop(struct oc_detail *detail)
{
    return not_here("systemctl stop oomcastd", detail);
}

int oc_service_look(struct oc_service_status *out_status, struct oc_detail *detail)
{
    (void)out_status;
    return not_here("systemctl status oomcastd", detail);
}
