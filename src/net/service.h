/* service.h: ports by the names of services. */
#ifndef NET_SERVICE_H
#define NET_SERVICE_H

#include "bytes/bytes.h"

/* service_port looks a service of a protocol ("tcp", "udp") up: in the system's table, and where that has
 * none, among the few that every program expects. */
bool service_port(const char *name, size_t len, const char *protocol, uint16_t *out);

#endif
