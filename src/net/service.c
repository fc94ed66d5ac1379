#define _GNU_SOURCE
#include "net/service.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>

#define NAME_MAX_LEN 31

/* For machines without /etc/services (containers, chroots): what is spoken over TLS or upgraded to it, and
 * what datagrams are for. */
/* clang-format off */
static const struct { const char *name, *protocol; uint16_t port; } usual[] = {
    { "ftp",         "tcp", 21   }, { "ftps",        "tcp", 990  }, { "smtp",        "tcp", 25   },
    { "submission",  "tcp", 587  }, { "submissions", "tcp", 465  }, { "http",        "tcp", 80   },
    { "https",       "tcp", 443  }, { "pop3",        "tcp", 110  }, { "pop3s",       "tcp", 995  },
    { "imap",        "tcp", 143  }, { "imaps",       "tcp", 993  }, { "nntp",        "tcp", 119  },
    { "nntps",       "tcp", 563  }, { "ldap",        "tcp", 389  }, { "ldaps",       "tcp", 636  },
    { "sieve",       "tcp", 4190 }, { "xmpp-client", "tcp", 5222 }, { "xmpp-server", "tcp", 5269 },
    { "ircs-u",      "tcp", 6697 }, { "mysql",       "tcp", 3306 }, { "postgresql",  "tcp", 5432 },
    { "domain",      "tcp", 53   }, { "domain",      "udp", 53   }, { "ntp",         "udp", 123  },
    { "syslog",      "udp", 514  },
};
/* clang-format on */

static bool is_name(const char *name, size_t len)
{
    if (!len || len > NAME_MAX_LEN || !isalpha((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("-_.+", name[i]))
            return false;
    return true;
}

bool service_port(const char *name, size_t len, const char *protocol, uint16_t *out)
{
    struct servent room, *found = NULL;
    char text[NAME_MAX_LEN + 1] = "", buf[1024];

    if (!is_name(name, len))
        return false;
    memcpy(text, name, len);
    if (getservbyname_r(text, protocol, &room, buf, sizeof buf, &found) == 0 && found) {
        *out = ntohs((uint16_t)found->s_port);
        return true;
    }
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (strcmp(usual[i].name, text) == 0 && strcmp(usual[i].protocol, protocol) == 0) {
            *out = usual[i].port;
            return true;
        }
    return false;
}
